using Containerd.Services.Snapshots.V1;
using Google.Protobuf;
using Google.Protobuf.Collections;
using LazySnapshotter.Snapshots;
using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Fuzz.Targets;

// Messages of the snapshots service as they come off the socket: Google's parser, and what is made of their fields before
// anything is looked up. The first byte says which message it is.
internal sealed class SnapshotsRequestTarget : FuzzTarget
{
    private static readonly MessageParser[] _parsers =
    [
        PrepareSnapshotRequest.Parser, ViewSnapshotRequest.Parser, MountsRequest.Parser, CommitSnapshotRequest.Parser,
        RemoveSnapshotRequest.Parser,
        StatSnapshotRequest.Parser, UpdateSnapshotRequest.Parser, ListSnapshotsRequest.Parser, UsageRequest.Parser, CleanupRequest.Parser,
    ];

    private readonly Lazy<IReadOnlyList<byte[]>> _seeds = new(MakeSeeds);

    public override string Name => "snapshots-request";

    public override IReadOnlyList<byte[]> Seeds => _seeds.Value;

    public override IReadOnlyList<string> Words { get; } =
    [
        SnapshotLabels.SnapshotRef, SnapshotLabels.ImageReference, SnapshotLabels.LayerDigest, SnapshotLabels.ManifestDigest,
        SnapshotLabels.ImageLayers, SnapshotLabels.LayerSize, SnapshotLabels.PullSecret, SampleText.Digest, "labels", "labels.",
    ];

    public override int LengthMax => 4096;

    // gRPC itself answers a message that is none.
    public override bool IsRefusal(Exception exception) =>
        exception is InvalidDataException or InvalidProtocolBufferException or SnapshotException;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        if (input.IsEmpty)
            throw new InvalidDataException("not even which");
        var message = _parsers[input[0] % _parsers.Length].ParseFrom(input[1..]);
        switch (message)
        {
            case PrepareSnapshotRequest request:
                UseLabels(request.Key, request.Labels);
                break;
            case ViewSnapshotRequest request:
                UseLabels(request.Key, request.Labels);
                break;
            case CommitSnapshotRequest request:
                UseLabels(request.Name, request.Labels);
                break;
            case UpdateSnapshotRequest { Info: { } info } request:
                UseLabels(info.Name, info.Labels);
                LabelUpdate.Apply(
                    info.Name, new Dictionary<string, string> { ["a"] = "b" }, info.Labels.ToDictionary(), request.UpdateMask?.Paths ?? []);
                break;
            case ListSnapshotsRequest request:
                SnapshotLimits.CheckFilters(request.Filters);
                _ = SnapshotFilterOf(request.Filters);
                break;
        }

        var again = message.Descriptor.Parser.ParseFrom(message.ToByteArray());
        if (!message.Equals(again))
            throw new InvalidOperationException("the message reads back differently");
    }

    private static Func<SnapshotInfo, bool> SnapshotFilterOf(RepeatedField<string> filters) =>
        Snapshots.Filters.SnapshotFilter.ParseAny(filters);

    private static void UseLabels(string name, MapField<string, string> fields)
    {
        var labels = new Dictionary<string, string>(fields, StringComparer.Ordinal);
        SnapshotLimits.CheckName(name, "key");
        SnapshotLimits.CheckLabels(labels);
        if (RemoteTarget.TryParse(labels, out var target) && (target!.Name.Length == 0 || target.LayerBytes < 0 || target.Layer.IsDefault))
            throw new InvalidOperationException("a layer to be served that is none");
    }

    private static byte[][] MakeSeeds()
    {
        var labels = new Dictionary<string, string>
        {
            [SnapshotLabels.SnapshotRef] = SampleText.Digest,
            [SnapshotLabels.ImageReference] = "docker.io/library/python:3",
            [SnapshotLabels.LayerDigest] = SampleText.Digest,
            [SnapshotLabels.ManifestDigest] = SampleText.Digest,
            [SnapshotLabels.ImageLayers] = SampleText.Digest + "," + SampleText.Digest,
            [SnapshotLabels.LayerSize] = "1234",
            [SnapshotLabels.PullSecret] = "secret",
        };
        return
        [
            [0, .. new PrepareSnapshotRequest { Snapshotter = "lazysnap", Key = "k 1", Parent = "p", Labels = { labels } }.ToByteArray()],
            [1, .. new ViewSnapshotRequest { Key = "v", Parent = "p", Labels = { ["a"] = "b" } }.ToByteArray()],
            [2, .. new MountsRequest { Key = "k 1" }.ToByteArray()],
            [3, .. new CommitSnapshotRequest { Name = "n", Key = "k", Parent = "p", Labels = { ["a"] = "b" } }.ToByteArray()],
            [
                6, .. new UpdateSnapshotRequest
                {
                    Info = new Info { Name = "n", Kind = Kind.Committed, Labels = { ["a"] = "c" },
                        CreatedAt = new() { Seconds = 1, Nanos = 2 } },
                    UpdateMask = new() { Paths = { "labels.a", "labels" } },
                }.ToByteArray(),
            ],
            [7, .. new ListSnapshotsRequest { Filters = { "kind==committed", "labels.a" } }.ToByteArray()],
            [8, .. new UsageRequest { Key = "k" }.ToByteArray()],
            [9, .. new CleanupRequest { Snapshotter = "lazysnap" }.ToByteArray()],
        ];
    }
}
