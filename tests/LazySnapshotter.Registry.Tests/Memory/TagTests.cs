using System.Net;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests.Memory;

// A tag is asked for each time, what it names is not sent each time; what a digest names is asked for once.
public sealed class TagTests
{
    private static readonly TestRegistryOptions Bearer = new() { Auth = TestAuthMode.Bearer };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_tag_that_did_not_move_costs_one_request_and_no_byte(bool restart)
    {
        await using var bench = await StartAsync();
        var first = await bench.ResolveAsync();
        Assert.Equal("Ping Token Manifest Manifest", bench.TakeRequests());
        if (restart)
            bench.Restart();

        var again = await bench.ResolveAsync();
        var request = Assert.Single(bench.Server.Requests);
        Assert.Equal(304, request.StatusCode);
        Assert.Equal(0, request.BytesSent);
        Assert.Null(again.TagSeenAt);
        Assert.Equal(first.Documents.Select(d => d.Descriptor), again.Documents.Select(d => d.Descriptor));
        Assert.All(again.Documents, d => Assert.True(d.Descriptor.Digest.IsDigestOf(d.Content)));
    }

    [Fact]
    public async Task A_tag_that_moved_is_followed()
    {
        await using var bench = await StartAsync();
        await bench.ResolveAsync();
        var moved = AddImage(bench, 2);
        bench.Restart();
        Assert.Equal(moved.Digest, (await bench.ResolveAsync()).ManifestDocument.Descriptor.Digest);
        Assert.Equal("Manifest Manifest", bench.TakeRequests());
        Assert.Equal(moved.Digest, (await bench.ResolveAsync()).ManifestDocument.Descriptor.Digest);
        Assert.Equal("Manifest", bench.TakeRequests());
    }

    [Fact]
    public async Task A_tag_that_is_gone_is_gone()
    {
        await using var bench = await StartAsync();
        await bench.ResolveAsync();
        bench.Server.Faults.Add(Fault.Status(404, TestRequestKind.Manifest));
        var error = await Assert.ThrowsAsync<RegistryException>(() => bench.ResolveAsync());
        Assert.Equal(RegistryFailure.NotFound, error.Failure);
    }

    [Fact]
    public async Task A_registry_without_ETags_sends_the_manifest_again()
    {
        await using var bench = await StartAsync(Bearer with { Preconditions = false });
        await bench.ResolveAsync();
        bench.Restart();
        await bench.ResolveAsync();
        Assert.Equal(200, Assert.Single(bench.Server.Requests).StatusCode); // The manifest behind the index was not asked for.
    }

    [Fact]
    public async Task A_registry_that_says_unchanged_of_something_else_is_not_believed()
    {
        await using var bench = await StartAsync();
        await bench.ResolveAsync();
        bench.TakeRequests();
        bench.Server.Faults.Add(Fault.Status(304, TestRequestKind.Manifest, times: 1) with
        {
            Headers = new Dictionary<string, string> { ["Docker-Content-Digest"] = bench.Bench.Blob.Digest.ToString() },
        });
        await bench.ResolveAsync();
        Assert.Equal([304, 200], bench.Server.Requests.Select(r => r.StatusCode));
    }

    [Fact]
    public async Task A_304_nobody_asked_for_is_an_error()
    {
        await using var bench = await StartAsync();
        bench.Server.Faults.Add(Fault.Status(304, TestRequestKind.Manifest));
        var error = await Assert.ThrowsAsync<RegistryException>(() => bench.ResolveAsync());
        Assert.Equal(RegistryFailure.Protocol, error.Failure);
    }

    [Fact]
    public async Task What_a_digest_names_is_asked_for_once()
    {
        await using var bench = await StartAsync();
        var manifest = (await bench.ResolveAsync()).ManifestDocument.Descriptor;
        bench.Restart();
        var byDigest = ImageReference.Parse($"{bench.Server.Host}/{Bench.Repository}@{manifest.Digest}");
        await bench.ResolveAsync(byDigest);
        await bench.Client.GetManifestAsync(bench.Bench.Reference, manifest, CancellationToken.None);
        Assert.Empty(bench.Server.Requests);
    }

    [Fact]
    public async Task What_one_repository_has_says_nothing_about_another()
    {
        await using var bench = await StartAsync();
        var manifest = (await bench.ResolveAsync()).ManifestDocument.Descriptor;
        bench.Restart();
        var elsewhere = bench.Server.Reference("private/python");
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => bench.Client.GetManifestAsync(elsewhere, manifest, CancellationToken.None));
        Assert.Equal(RegistryFailure.NotFound, error.Failure);
        Assert.Equal("Token Manifest", bench.TakeRequests());
    }

    [Fact]
    public async Task A_stored_manifest_that_was_damaged_or_moved_is_asked_for_again()
    {
        await using var bench = await StartAsync();
        var manifest = (await bench.ResolveAsync()).ManifestDocument.Descriptor;
        bench.Stop();
        var path = Directory.GetFiles(bench.Folder, $"sha256-{manifest.Digest.Hex}", SearchOption.AllDirectories).Single();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        var good = File.ReadAllBytes(path);
        foreach (var at in (int[])[0, 25, good.Length / 2, good.Length - 1])
        {
            var damaged = good.ToArray();
            damaged[at] ^= 1;
            await AssertAskedForAsync(damaged);
        }

        await AssertAskedForAsync(good[..^1]);
        await AssertAskedForAsync([]);
        await AssertAskedForAsync(new byte[5 << 20]);

        async Task AssertAskedForAsync(byte[] content)
        {
            var before = bench.Warnings().Count();
            File.WriteAllBytes(path, content);
            bench.Start();
            Assert.Equal(
                manifest.Size, (await bench.Client.GetManifestAsync(bench.Bench.Reference, manifest, CancellationToken.None)).Length);
            Assert.Equal("Manifest", bench.TakeRequests());
            Assert.Contains(manifest.Digest.ToString(), Assert.Single(bench.Warnings().Skip(before)), StringComparison.Ordinal);
            Assert.Equal(good, File.ReadAllBytes(path));
            bench.Stop();
        }
    }

    [Fact]
    public async Task Ten_who_resolve_the_same_at_once_ask_once()
    {
        await using var bench = await StartAsync();
        // Long enough that all of them are there before the first has its answer, on a busy machine too.
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Manifest, Delay = TimeSpan.FromSeconds(1), Times = 1 });
        var resolved = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => bench.ResolveAsync()));
        Assert.All(resolved, r => Assert.Equal(2, r.Documents.Count));
        Assert.Equal("Ping Token Manifest Manifest", bench.TakeRequests());
    }

    [Fact]
    public async Task Who_gives_up_does_not_spoil_it_for_the_others()
    {
        await using var bench = await StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Manifest, Delay = TimeSpan.FromMilliseconds(300), Times = 1 });
        using var impatience = new CancellationTokenSource();
        var first = bench.Client.ResolveAsync(bench.Bench.Reference, Platform.Current, impatience.Token);
        var second = bench.ResolveAsync();
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.Equal(2, (await second).Documents.Count);
        Assert.Equal(2, bench.Server.Count(TestRequestKind.Manifest));
    }

    [Fact]
    public async Task A_tag_that_we_put_ourselves_is_what_we_put()
    {
        await using var bench = await StartAsync(new TestRegistryOptions());
        var first = await bench.ResolveAsync();
        var content = bench.Server.Content.ManifestBytes(Bench.Repository, "latest")!;
        var another = "\n"u8.ToArray().Concat(content).ToArray();
        await bench.Client.PutManifestAsync(bench.Bench.Reference, "latest", MediaTypes.OciIndex, another, CancellationToken.None);
        Assert.Equal(Digest.OfSha256(another), (await bench.ResolveAsync()).Root.Descriptor.Digest);
        Assert.True(await bench.Client.DeleteManifestAsync(bench.Bench.Reference, Digest.OfSha256(another), CancellationToken.None));
        await Assert.ThrowsAsync<RegistryException>(() => bench.Client.GetManifestAsync(
            bench.Bench.Reference, first.Root.Descriptor with { Digest = Digest.OfSha256(another), Size = another.Length },
            CancellationToken.None));
    }

    [Fact]
    public async Task Without_the_registry_a_tag_is_what_it_was_only_for_those_who_allow_it()
    {
        await using var bench = await StartAsync();
        var first = await bench.ResolveAsync();
        bench.Restart();
        bench.Server.Faults.Add(new Fault { ResetBeforeAnswer = true });
        var error = await Assert.ThrowsAsync<RegistryException>(() => bench.ResolveAsync());
        Assert.Equal(RegistryFailure.Unreachable, error.Failure);

        var seenAgain = await bench.Client.ResolveAsync(
            bench.Bench.Reference, Platform.Current, rememberedIfUnreachable: true, CancellationToken.None);
        Assert.Equal(first.ManifestDocument.Descriptor, seenAgain.ManifestDocument.Descriptor);
        Assert.NotNull(seenAgain.TagSeenAt);
        Assert.Contains("cannot be reached", Assert.Single(bench.Warnings()), StringComparison.Ordinal);

        await Assert.ThrowsAsync<RegistryException>(() => bench.Client.ResolveAsync(
            bench.Server.Reference(
                Bench.Repository, "never-seen"), Platform.Current, rememberedIfUnreachable: true, CancellationToken.None));
    }

    [Theory]
    [InlineData(404)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(503)]
    public async Task A_registry_that_answers_is_the_one_who_decides(int status)
    {
        await using var bench = await StartAsync();
        await bench.ResolveAsync();
        bench.Server.Faults.Add(Fault.Status(status, TestRequestKind.Manifest));
        await Assert.ThrowsAsync<RegistryException>(
            () =>
                bench.Client.ResolveAsync(bench.Bench.Reference, Platform.Current, rememberedIfUnreachable: true, CancellationToken.None));
    }

    // Docker Hub counts GETs of manifests against its pull limit, HEADs not.
    [Fact]
    public async Task At_Docker_Hub_a_known_tag_is_asked_for_by_HEAD()
    {
        await using var bench = await StartAsync();
        bench.Stop();
        bench.Start(bench.Bench.Options with
        {
            PlainHttp = _ => true,
            MayLeadTo = _ => true, // To the token service, which is on this machine.
            Resolve = (host, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("203.0.113.1")]),
            Dial = (_, port, cancellationToken) => Dialing.ConnectAsync(
                [IPAddress.Loopback], port == 80 ? new Uri("http://" + bench.Server.Host).Port : port, cancellationToken),
        });
        var reference = ImageReference.Parse("docker.io/library/python:latest");
        await bench.ResolveAsync(reference);
        Assert.Equal("Ping Token Manifest Manifest", bench.TakeRequests());
        await bench.ResolveAsync(reference);
        Assert.Equal("HEAD", Assert.Single(bench.Server.Requests).Method);
        bench.TakeRequests();

        var moved = AddImage(bench, 2);
        Assert.Equal(moved.Digest, (await bench.ResolveAsync(reference)).ManifestDocument.Descriptor.Digest);
        Assert.Equal(["HEAD", "GET", "GET"], bench.Server.Requests.Select(r => r.Method));
        bench.TakeRequests();

        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Manifest, When = r => r.Method == "HEAD", StatusCode = 405 });
        Assert.Equal(moved.Digest, (await bench.ResolveAsync(reference)).ManifestDocument.Descriptor.Digest);
        Assert.Equal(["HEAD", "GET"], bench.Server.Requests.Select(r => r.Method));
        Assert.Equal(304, bench.Server.Requests.Last().StatusCode);
    }

    private static async Task<RestartBench> StartAsync(TestRegistryOptions? server = null)
    {
        var bench = await RestartBench.StartAsync(server ?? Bearer);
        AddImage(bench, 1);
        return bench;
    }

    // An index under the tag, and the manifest it leads to.
    private static Descriptor AddImage(RestartBench bench, byte version)
    {
        var layer = bench.Server.Content.AddBlob(Bench.Repository, [version]);
        var manifest = bench.Server.Content.AddImage(Bench.Repository, $"v{version}", [layer]);
        bench.Server.Content.AddIndex(Bench.Repository, "latest", [manifest]);
        return manifest;
    }
}
