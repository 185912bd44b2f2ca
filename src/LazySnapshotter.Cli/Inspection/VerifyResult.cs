using LazySnapshotter.Layers.Verify;

namespace LazySnapshotter.Cli.Inspection;

/// <summary>What <c>index verify --json</c> says.</summary>
internal sealed record VerifyResult(string Path, string Blob, bool IsSound, IReadOnlyList<IndexCheck> Checks);
