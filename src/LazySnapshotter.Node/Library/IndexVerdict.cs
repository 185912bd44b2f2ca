namespace LazySnapshotter.Node.Library;

// What the comparison of an index with its layer has found.
/// <param name="WrongSpan">A span the layer refutes: reads by this index fail. Null if every span is right.</param>
/// <param name="Difference">
/// Anything the layer refutes, a span or not: a tree may leave things out (soci can be told to drop extended attributes) and
/// yet be read. Null if all of it is right.
/// </param>
internal sealed record IndexVerdict(string? WrongSpan, string? Difference);
