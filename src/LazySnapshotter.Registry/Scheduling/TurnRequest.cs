using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Http;

namespace LazySnapshotter.Registry.Scheduling;

// Who wants a turn at a host: how urgently, and to move how much.
/// <param name="Priority">May be raised while it waits, and after.</param>
internal sealed record TurnRequest(ReadPriority Priority, TurnLoad Load)
{
    /// <summary>Waits for a place among those at work. False inside a <see cref="TurnGroup"/>, which has its places already.</summary>
    public bool NeedsPlace { get; init; } = true;

    /// <summary>Waits until the host may be asked again after a failure. False for a place that is taken for later.</summary>
    public bool NeedsTime { get; init; } = true;

    public static TurnRequest Of(HopRequest hop) =>
        new(hop.Priority ?? new ReadPriority(UrgencyOf(hop)), new TurnLoad(KindOf(hop), Math.Max(hop.ExpectedBytes, 0)));

    // Who says nothing is reading a document, or a blob for somebody who waits. Nobody waits for an upload.
    private static ReadUrgency UrgencyOf(HopRequest hop) => hop.Subject.Kind switch
    {
        RegistryRequestKind.Blob when hop.Method == HttpMethod.Get => ReadUrgency.Demanded,
        RegistryRequestKind.Upload => ReadUrgency.Background,
        _ => ReadUrgency.Metadata,
    };

    private static TurnKind KindOf(HopRequest hop) => hop.Method == HttpMethod.Head ? TurnKind.Head : hop.Subject.Kind switch
    {
        RegistryRequestKind.Ping or RegistryRequestKind.Token => TurnKind.Head,
        RegistryRequestKind.Manifest => TurnKind.Manifest,
        RegistryRequestKind.Referrers or RegistryRequestKind.Tags => TurnKind.Query,
        RegistryRequestKind.Blob => TurnKind.Blob,
        RegistryRequestKind.Upload when hop.Body is not null => TurnKind.Blob,
        _ => TurnKind.Unknown,
    };
}
