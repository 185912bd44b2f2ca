using System.Globalization;
using System.Text.RegularExpressions;
using LazySnapshotter.Linux;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;
using LazySnapshotter.TestSupport.Trees;

namespace LazySnapshotter.OddImages;

// One node and one registry through which many odd images go, each twice: pulled by containerd for its overlayfs snapshotter,
// and by `lazysnap pull` for ours. Each pull has a namespace of its own, so that none sees another's content or snapshots.
public sealed partial class OddRun : IAsyncDisposable
{
    private readonly TestRegistry _registry;
    private readonly LazyNode _node;

    // Times of unpacking are later than this; no tar here states such a time.
    private readonly long _startedSeconds = DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 1;

    private OddRun(TestRegistry registry, LazyNode node) => (_registry, _node) = (registry, node);

    public static async Task<OddRun> StartAsync()
    {
        var registry = await TestRegistry.StartAsync();
        try
        {
            return new OddRun(registry, await LazyNode.StartAsync(new ContainerdOptions { SharesContent = false }));
        }
        catch
        {
            await registry.DisposeAsync();
            throw;
        }
    }

    public async Task<OddOutcome> RunAsync(int seed)
    {
        var image = OddImage.Add(_registry.Content, seed);
        var reference = _registry.Reference(image.Repository).ToString();
        var (lazyNamespace, plainNamespace) = ($"lazy-{seed}", $"plain-{seed}");
        var lazy = await LazysnapProcess.RunAsync("pull", "--containerd", _node.Containerd.Address, "-n", lazyNamespace, reference);
        var plain = await _node.Containerd.CtrAsync(
            "--namespace", plainNamespace, "images", "pull", "--plain-http", "--snapshotter", "overlayfs", reference);

        var outcome = Judge(image, plain, lazy);
        if (outcome.Verdict != OddVerdict.SameTree)
            return outcome;
        var chain = await LeafAsync(plainNamespace, "overlayfs");
        var lazyChain = await LeafAsync(lazyNamespace, LazyNode.Snapshotter);
        if (chain != lazyChain)
            return outcome with { Verdict = OddVerdict.Different, Explanation = $"containerd has snapshot {chain}, lazysnap {lazyChain}" };
        return chain is null ? outcome : await CompareAsync(outcome, chain, plainNamespace, lazyNamespace);
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        await _registry.DisposeAsync();
    }

    private static OddOutcome Judge(OddImage image, ProcessResult plain, ProcessResult lazy)
    {
        var (plainSays, lazySays) = (LastLine(plain.Error), LastLine(lazy.Error));
        var (verdict, explanation) = (plain.ExitCode == 0, lazy.ExitCode == 0) switch
        {
            (true, true) => (OddVerdict.SameTree, "the same tree"),
            (false, false) => (OddVerdict.SameRefusal, $"containerd: {plainSays} -- lazysnap: {lazySays}"),
            (true, false) => (OddVerdict.Different, $"containerd takes it, lazysnap: {lazySays}"),
            _ => (OddVerdict.Different, $"lazysnap takes it, containerd: {plainSays}"),
        };
        var counts = Counts().Match(lazy.Output);
        int Count(string group) => counts.Success ? int.Parse(counts.Groups[group].Value, CultureInfo.InvariantCulture) : 0;
        return new OddOutcome(image.Seed, image.Recipe, verdict, explanation)
        {
            LayersLazy = Count("lazy"),
            LayersUnpacked = Count("unpacked"),
        };
    }

    private async Task<OddOutcome> CompareAsync(OddOutcome outcome, string chain, string plainNamespace, string lazyNamespace)
    {
        Tree expected;
        Tree actual;
        await using (var plain = await _node.Containerd.MountSnapshotAsync(chain, "overlayfs", plainNamespace))
            expected = Tree.Read(plain.Path);
        try
        {
            await using var lazy = await _node.Containerd.MountSnapshotAsync(chain, LazyNode.Snapshotter, lazyNamespace);
            actual = Tree.Read(lazy.Path);
        }
        catch (Exception exception) when (exception is ProcessFailedException or LinuxException or AggregateException)
        {
            return outcome with { Verdict = OddVerdict.Different, Explanation = exception.GetBaseException().Message };
        }

        // docs/SEMANTICS.md: a directory to which unpacking gave the time of unpacking.
        var timeless = expected.Entries.Values
            .Where(entry => entry.Type == FileType.S_IFDIR && entry.Status.ModifiedSeconds >= _startedSeconds)
            .Select(entry => entry.Path).ToHashSet();
        var differences = TreeComparer.Compare(expected, actual, timeless)
            .Concat(Ghosts(expected, actual).Select(path => new TreeDifference(path, "listed", "not", "but not there")))
            .Concat(Ghosts(actual, expected).Select(path => new TreeDifference(path, "listed", "but not there", "not"))).ToList();
        return differences.Count == 0
            ? outcome with { Explanation = $"{expected.Entries.Count} paths are the same" }
            : outcome with { Verdict = OddVerdict.Different, Explanation = $"{differences.Count} differences", Differences = differences };
    }

    /// <summary>The one committed snapshot on which no other stands; null without any.</summary>
    private async Task<string?> LeafAsync(string inNamespace, string snapshotter)
    {
        var list = await _node.Containerd.CtrAsync("--namespace", inNamespace, "snapshots", "--snapshotter", snapshotter, "list");
        var rows = list.Checked().Output.Split('\n').Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(row => row is [.., "Committed"]).ToList();
        var parents = rows.Where(row => row.Length == 3).Select(row => row[1]).ToHashSet();
        return rows.Select(row => row[0]).SingleOrDefault(key => !parents.Contains(key));
    }

    // A name that one only lists, and the other has nothing of.
    private static IEnumerable<LinuxPath> Ghosts(Tree none, Tree some) => some.Ghosts.Where(path => !none.Ghosts.Contains(path));

    private static string LastLine(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? "";

    [GeneratedRegex("(?<lazy>[0-9]+) lazy, (?<unpacked>[0-9]+) unpacked")]
    private static partial Regex Counts();
}
