using LazySnapshotter.Oci;

namespace LazySnapshotter.Registry.Scheduling;

// Who wants a turn at a host: how urgently, and to move how much.
/// <param name="Priority">May be raised while it waits, and after.</param>
internal sealed record TurnRequest(ReadPriority Priority, TurnLoad Load)
{
    /// <summary>Waits for a place among those at work. False inside a <see cref="TurnGroup"/>, which has its places already.</summary>
    public bool NeedsPlace { get; init; } = true;

    /// <summary>Waits until the host may be asked again after a failure. False for a place that is taken for later.</summary>
    public bool NeedsTime { get; init; } = true;
}
