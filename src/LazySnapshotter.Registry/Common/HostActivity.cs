namespace LazySnapshotter.Registry.Common;

// What is going on between us and one host at this moment.
/// <param name="Host">Its authority: a registry, a token service, or where one of them redirects to.</param>
/// <param name="Active">Requests whose answers are not at their end.</param>
/// <param name="Waiting">Requests that wait for a turn.</param>
/// <param name="Limit">How many may be active; adapts to what the host sustains.</param>
/// <param name="Failures">Not yet made up for by successes.</param>
/// <param name="Backoff">How long the host is still left alone.</param>
public readonly record struct HostActivity(string Host, int Active, int Waiting, int Limit, int Failures, TimeSpan Backoff);
