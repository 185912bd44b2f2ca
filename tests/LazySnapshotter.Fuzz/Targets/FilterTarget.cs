using System.Text;
using LazySnapshotter.Snapshots.Filters;
using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Fuzz.Targets;

// Filters of List, which containerd passes on as its own clients wrote them. One that is taken can be asked.
internal sealed class FilterTarget : FuzzTarget
{
    private static readonly SnapshotInfo _info = new(
        "sha256:12", "", SnapshotKind.Committed, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch,
        new Dictionary<string, string> { ["a.b/c"] = "xyz" });

    public override string Name => "filter";

    public override IReadOnlyList<byte[]> Seeds { get; } = SampleText.Seeds(
        "name==foo,kind!=view", "labels.app", "labels.\"a.b/c\"~=|^x.*|", "parent~=/^sha(256|512):[0-9a-f]{1,4}$/",
        "labels.\"\\x61\\u00e9\\U0001F600\\101\"==\"\\n\\t\"", "");

    public override IReadOnlyList<string> Words { get; } =
        ["labels.", "==", "!=", "~=", "name", "kind", "parent", "\\u", "\\U", "\\x", "(?i)", "(?<a>", "[^", "{1,"];

    public override int LengthMax => 2048;

    public override bool IsRefusal(Exception exception) => exception is SnapshotArgumentException;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random) =>
        SnapshotFilter.Parse(Encoding.UTF8.GetString(input)).Matches(_info);
}
