using System.Globalization;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Registry;
using LazySnapshotter.TestSupport.Trees;
using Xunit.Abstractions;

namespace LazySnapshotter.IntegrationTests;

// A registry, its token service and the place it redirects to, each request with a chance of one in twenty for each fault that
// may pass, all of them at once: an image's whole tree still reads back as it is, through the kernel, and nobody who
// reads it sees an error.
public sealed class EverythingAtOnceTests(ITestOutputHelper output)
{
    private const double Chance = 0.05;
    private const int DifferencesShown = 40;

    private static readonly TimeSpan Aged = TimeSpan.FromSeconds(8);

    // Six in ten requests fail. So a request is repeated more often than a healthy registry would need, silence counts as a
    // fault soon, a host that fails all the time is asked again sooner than one that is in trouble should be, and a read has time.
    private const string Configuration = """
        {"registry": {"requests": {
            "retryLimit": 40, "retryDelay": 0.02, "retryDelayMax": 0.2,
            "connectTimeout": 1, "responseTimeout": 1, "stallTimeout": 1, "readDeadline": 300}}}
        """;

    [Fact]
    public async Task With_every_fault_at_one_in_twenty_a_whole_tree_reads_back_identical()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var image = await TestImages.Python;
        await using var registry = await TestRegistry.StartAsync(
            new TestRegistryOptions { Auth = TestAuthMode.Bearer, RedirectBlobs = true, Seed = seed });
        registry.Content.AddLayout("python", image.LayoutPath);
        var reference = registry.Reference("python").ToString();
        await using var node = await LazyNode.StartAsync(Configuration);
        await node.IndexAsync(reference);
        await node.PullAsync(reference);

        // What it is compared with comes from a registry without redirects: newer containerds take their login along to another
        // port of the same host, and the CDN refuses that.
        await using var plain = await TestRegistry.StartAsync(new TestRegistryOptions());
        plain.Content.AddLayout("python", image.LayoutPath);
        await node.Containerd.PullAsync(plain.Reference("python").ToString(), "overlayfs");
        await using var unpacked = await node.Containerd.MountImageAsync(image, "overlayfs");
        var expected = Tree.Read(unpacked.Path);
        await using var lazy = await node.Containerd.MountImageAsync(image, LazyNode.Snapshotter);

        registry.ClearLog();
        AddFaults(registry, new Random(seed));
        var actual = Tree.Read(lazy.Path);
        var befallen = registry.Faults.Befallen;
        registry.Faults.Clear();

        output.WriteLine(
            $"{expected.Entries.Count} paths, {registry.Requests.Count} requests, {befallen.Sum(f => f.Befallen)} of them befallen");
        foreach (var kind in registry.Requests.GroupBy(r => r.Kind))
            output.WriteLine($"  {kind.Key}: {kind.Count()}, of them {kind.Count(r => r.StatusCode is 200 or 206)} answered");
        var differences = TreeComparer.Compare(expected, actual, image.DirectoriesWithoutRecordedTime);
        var errors = node.Daemon.Log.Split('\n').Where(line => line.Contains("EIO", StringComparison.Ordinal)).ToList();
        Assert.True(
            differences.Count == 0 && errors.Count == 0,
            $"seed {seed}: {differences.Count} differences:\n{string.Join('\n', differences.Take(DifferencesShown))}\n" +
            $"{string.Join('\n', errors.Take(DifferencesShown))}");
        Assert.True(befallen.Sum(f => f.Befallen) > 10, "hardly anything went wrong: not a test");
    }

    private static void AddFaults(TestRegistry registry, Random random)
    {
        var faults = registry.Faults;

        // What was given out is worth nothing any more. Not what was given out just now: that a new one is refused is no
        // fault that passes.
        faults.Add(Happens(random, () => registry.Tokens.RevokeOlderThan(Aged)));
        faults.Add(Happens(random, () => registry.SignedUrls.RevokeOlderThan(Aged)));

        // A host that cannot now, in all the ways it can say so.
        int[] statuses = [408, 429, 499, 500, 502, 503, 504, 522];
        foreach (var status in statuses)
            faults.Add(Fault.Status(status) with { Probability = Chance / statuses.Length });
        faults.Add(Fault.Status(503).With("Retry-After", "1") with { Probability = Chance / 10 });
        faults.Add(Fault.HtmlPage(502) with { Probability = Chance / 10 });

        // Connections that break before, with, and after the head.
        faults.Add(new Fault { ResetBeforeAnswer = true, Probability = Chance });
        faults.Add(new Fault { Delay = Timeout.InfiniteTimeSpan, Probability = Chance });
        faults.Add(new Fault { Raw = _ => "HTTP/1.1 206 Partial Content\r\nContent-Le"u8.ToArray(), Probability = Chance });
        foreach (var trouble in Enum.GetValues<ConnectionTrouble>().Except([ConnectionTrouble.Garbage]))
        {
            foreach (var host in Enum.GetValues<TestHost>())
                faults.Add(new ConnectionFault(host, trouble) { Probability = Chance });
        }

        // Bodies of blobs.
        foreach (var fault in (ReadOnlySpan<Fault>)[
            new() { ResetAt = 3000 }, new() { TruncateAt = 5000 }, new() { EndAt = 700 }, new() { StallAt = 2000 },
                new() { BytesPerSecond = 500_000 },
            new() { IgnoreRange = true }, new() { SurplusBytes = 500 }, new() { Http10 = true }, new() { RedirectHops = 2 }, new Fault()
                .With("Connection", "close")])
        {
            faults.Add(fault with { Kind = TestRequestKind.Cdn, Probability = Chance });
        }

        // A bad copy of some bytes, somewhere on the way. Each byte is copied badly once.
        var bad = new HashSet<(string, long)>();
        faults.Add(new Fault { Kind = TestRequestKind.Cdn, CorruptAt = 100, When = request =>
            random.NextDouble() < Chance && IsNewlyBad(request, bad) });
    }

    // Not a fault of the request: something that happens when it comes.
    private static Fault Happens(Random random, Action what) => new()
    {
        When = _ =>
        {
            if (random.NextDouble() < Chance)
                what();
            return false;
        },
    };

    private static bool IsNewlyBad(TestRequest request, HashSet<(string Path, long Offset)> bad)
    {
        var range = request.Range?["bytes=".Length..].Split('-');
        if (range is not [var first, var last])
            return false;
        var (start, end) = (long.Parse(first, CultureInfo.InvariantCulture), last.Length == 0
            ? long.MaxValue
            : long.Parse(last, CultureInfo.InvariantCulture));
        return !bad.Any(b => b.Path == request.Path && b.Offset >= start && b.Offset <= end) && bad.Add((request.Path, start + 100));
    }
}
