using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Push;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// A ping that tells nothing decides nothing: whatever is asked for is asked for, and a 401 to that tells what is wanted.
// What each odd answer costs, FaultMatrix has.
public sealed class PingTests
{
    private const string Username = "someone";
    private const string Password = "correct horse: battery & staple";

    public static TheoryData<TestAuthMode, int> Refusals
    {
        get
        {
            var refusals = new TheoryData<TestAuthMode, int>();
            foreach (var auth in Enum.GetValues<TestAuthMode>())
            {
                foreach (var status in (int[])[401, 403, 404, 429, 500])
                    refusals.Add(auth, status);
            }

            return refusals;
        }
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Whatever_is_asked_for_after_a_refused_ping_is_had(TestAuthMode auth, int status)
    {
        var platform = new Platform { Os = "linux", Architecture = "amd64" };
        await using var bench = await Bench.StartAsync(new TestRegistryOptions
        {
            Auth = auth,
            Username = auth == TestAuthMode.None ? null : Username,
            Password = Password,
        });
        bench.WriteDockerConfig(Username, Password);
        var manifest = bench.Server.Content.AddImage(Bench.Repository, "latest", [bench.Blob], platform: platform);
        bench.Server.Faults.Add(Fault.Status(status, TestRequestKind.Ping));
        var other = bench.Reference with { Repository = "other/image" };

        // Each with a client that knows nothing.
        await FreshAsync(async client =>
            Assert.Equal(manifest.Digest, (await client.ResolveAsync(bench.Reference, platform, default)).Root.Descriptor.Digest));
        await FreshAsync(async client => Assert.NotNull(await client.FindManifestAsync(bench.Reference, default)));
        await FreshAsync(async client => Assert.Equal(["latest"], await client.ListTagsAsync(bench.Reference, default)));
        await FreshAsync(async client => Assert.Empty(await client.ListReferrersAsync(bench.Reference, manifest.Digest, null, default)));
        await FreshAsync(async client =>
        {
            await using var stream = await client.OpenBlob(bench.Reference, bench.Blob).OpenAsync(ReadPriority.Demanded(), default);
            Assert.Equal(bench.Content, await Bench.ReadAllAsync(stream));
        });
        await FreshAsync(async client => Assert.Equal(
            BlobPush.Mounted, await client.PushBlobAsync(other, BlobContent.OfBytes(bench.Content), bench.Reference, null, default)));
        await FreshAsync(async client => Assert.Equal(
            BlobPush.Uploaded, await client.PushBlobAsync(other, BlobContent.OfBytes(new byte[500]), null, null, default)));
        await FreshAsync(async client => await client.PutManifestAsync(
            bench.Reference, "pushed", MediaTypes.OciManifest, bench.Server.Content.ManifestBytes(Bench.Repository, "latest")!, default));

        async Task FreshAsync(Func<RegistryClient, Task> use)
        {
            bench.Restart();
            await use(bench.Client);
            Assert.Equal(1, bench.Server.Count(TestRequestKind.Ping));
            bench.TakeRequests();
        }
    }

    [Fact]
    public async Task What_a_refusal_told_is_remembered_and_what_a_ping_did_not_tell_is_not()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { Auth = TestAuthMode.Bearer }, remembers: true);
        bench.Server.Faults.Add(Fault.Status(403, TestRequestKind.Ping));
        await bench.AssertReadsAsync(0, 1);
        bench.Restart();
        await bench.AssertReadsAsync(1, 1);
        Assert.Equal("Ping Blob Token Blob Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task A_ping_that_is_never_answered_is_not_waited_for_long()
    {
        await using var bench = await Bench.StartAsync(client: Bench.Impatient with { ResponseTimeout = TimeSpan.FromMinutes(5) });
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Ping, Delay = Timeout.InfiniteTimeSpan });
        var started = DateTime.UtcNow;
        await bench.AssertReadsAsync(0, 1);
        Assert.InRange(DateTime.UtcNow - started, TimeSpan.Zero, TimeSpan.FromSeconds(20));
        Assert.Equal("Ping Blob", bench.TakeRequests());
    }
}
