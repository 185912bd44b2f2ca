using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Scheduling;

namespace LazySnapshotter.Registry.Http;

// What a request asks of the queue of its host: the queue itself knows no HTTP.
internal static class HopTurn
{
    public static TurnRequest RequestOf(HopRequest hop) =>
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
