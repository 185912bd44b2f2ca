using System.Net;
using System.Net.Sockets;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Registry;
using Microsoft.Extensions.Logging.Abstractions;

namespace LazySnapshotter.Registry.Tests;

// What is asked while somebody can do without the answer, beside what is asked for a reader who cannot.
public sealed class DecisionTests
{
    private static readonly Digest Manifest = Digest.OfSha256([1]);
    private int _lookUps;

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 3)]
    public async Task A_name_that_does_not_exist_is_looked_up_again_for_a_reader_alone(bool decides, int lookUps)
    {
        using var client = Client(new RegistryOptions { RetryLimit = 2, Resolve = NoSuchNameAsync });
        var image = ImageReference.Parse($"registry.example/test/image@{Manifest}");
        Task<ImageDocument> AskAsync() => client.GetManifestAsync(image, CancellationToken.None);

        var error = await Assert.ThrowsAsync<RegistryException>(() => decides ? new Decision().RunAsync(AskAsync) : AskAsync());

        Assert.Equal(RegistryFailure.Unreachable, error.Failure);
        Assert.Equal(lookUps, _lookUps);
    }

    [Fact]
    public async Task A_name_that_is_looked_up_for_ever_costs_one_budget()
    {
        using var client = Client(new RegistryOptions
        {
            DecisionBudget = TimeSpan.FromSeconds(0.5),
            Resolve = async (_, cancellationToken) =>
            {
                Interlocked.Increment(ref _lookUps);
                await Task.Delay(Timeout.Infinite, cancellationToken);
                return [];
            },
        });
        var image = ImageReference.Parse($"registry.example/test/image@{Manifest}");
        var deciding = new Decision().RunAsync(() => client.GetManifestAsync(image, CancellationToken.None));
        var error = await Assert.ThrowsAsync<RegistryException>(() => deciding.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(RegistryFailure.TimedOut, error.Failure);
        Assert.Equal(1, _lookUps);
    }

    [Fact]
    public async Task A_host_that_gave_no_answer_is_asked_again_when_that_is_a_while_ago()
    {
        var clock = new MovableClock();
        using var client = Client(new RegistryOptions { Clock = clock, Resolve = NoSuchNameAsync });
        Task DecideAsync(string repository)
        {
            var image = ImageReference.Parse($"registry.example/{repository}@{Manifest}");
            return Assert.ThrowsAsync<RegistryException>(
                () => new Decision().RunAsync(() => client.GetManifestAsync(image, CancellationToken.None)));
        }

        await DecideAsync("one");
        await DecideAsync("two");
        Assert.Equal(1, _lookUps);

        clock.Advance(new RegistryOptions().DecisionMemory);
        await DecideAsync("three");
        Assert.Equal(2, _lookUps);
    }

    [Fact]
    public async Task A_host_that_answers_a_reader_is_asked_again_at_once()
    {
        await using var registry = await TestRegistry.StartAsync();
        registry.Faults.Add(new ConnectionFault(TestHost.Registry, ConnectionTrouble.Silence) { Times = 1 });
        using var client = Client(new RegistryOptions { DecisionBudget = TimeSpan.FromSeconds(0.5) });
        var image = registry.Content.AddImage("test/image", "latest", []);
        var reference = registry.Reference("test/image") with { Digest = image.Digest };
        Task<ImageDocument> AskAsync() => client.GetManifestAsync(reference, CancellationToken.None);
        Task<ImageDocument> DecideAsync() => new Decision().RunAsync(AskAsync);

        await Assert.ThrowsAsync<RegistryException>(DecideAsync);
        var refused = await Assert.ThrowsAsync<RegistryException>(DecideAsync);
        Assert.Contains("not asked, because it has just failed", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, registry.Connections);

        await client.ListTagsAsync(registry.Reference("test/image"), CancellationToken.None);
        Assert.Equal(image.Digest, (await DecideAsync()).Descriptor.Digest);
    }

    [Fact]
    public async Task A_reader_who_waits_for_what_a_decision_asks_asks_again_itself()
    {
        await using var registry = await TestRegistry.StartAsync();
        var blob = registry.Content.AddBlob("test/image", [1, 2, 3]);
        var looksUp = new TaskCompletionSource();
        var mayFail = new TaskCompletionSource();
        using var client = Client(new RegistryOptions
        {
            PlainHttp = _ => true,
            Resolve = async (name, _) =>
            {
                if (Interlocked.Increment(ref _lookUps) > 1)
                    return [IPAddress.Loopback];
                looksUp.SetResult();
                await mayFail.Task;
                return await NoSuchNameAsync(name, CancellationToken.None);
            },
        });
        var host = registry.Host.Replace("127.0.0.1", "registry.example", StringComparison.Ordinal);
        var image = ImageReference.Parse($"{host}/test/image@{Manifest}");
        var deciding = new Decision().RunAsync(() => client.GetManifestAsync(image, CancellationToken.None));
        await looksUp.Task;
        var reading = client.GetBlobBytesAsync(image, blob, CancellationToken.None);
        await Task.Delay(100); // It waits for the ping that the decision began.
        mayFail.SetResult();

        await Assert.ThrowsAsync<RegistryException>(() => deciding);
        Assert.Equal([1, 2, 3], await reading);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public async Task An_answer_that_may_be_another_one_in_a_moment_is_asked_for_once_more(int failures, bool isGiven)
    {
        await using var registry = await TestRegistry.StartAsync();
        registry.Faults.Add(Fault.Status(503, TestRequestKind.Manifest, failures));
        using var client = Client(new RegistryOptions());
        var image = registry.Content.AddImage("test/image", "latest", []);
        var decision = new Decision();
        var reference = registry.Reference("test/image") with { Digest = image.Digest };
        Task AskAsync() => decision.RunAsync(() => client.GetManifestAsync(reference, CancellationToken.None));

        if (isGiven)
            await AskAsync();
        else
            await Assert.ThrowsAsync<RegistryException>(AskAsync);

        Assert.Equal(2, registry.Count(TestRequestKind.Manifest));
        Assert.Equal(isGiven, decision.Given.IsCompleted);
    }

    [Fact]
    public async Task What_a_decision_leaves_behind_is_part_of_it_until_it_is_made()
    {
        var isMade = new TaskCompletionSource();
        var (before, after) = (false, true);
        Task? left = null;
        await new Decision().RunAsync(() =>
        {
            left = Task.Run(async () =>
            {
                before = Decision.IsPending;
                await isMade.Task;
                after = Decision.IsPending;
            });
            while (!Volatile.Read(ref before))
                Thread.Yield();
            return Task.FromResult(0);
        });
        isMade.SetResult();
        await left!;
        Assert.True(before);
        Assert.False(after);
        Assert.False(Decision.IsPending);
    }

    private static RegistryClient Client(RegistryOptions options) =>
        new(options with
        {
            RetryDelay = TimeSpan.FromMilliseconds(10),
            Environment = _ => null,
            DockerConfigPath = "/nonexistent/config.json",
        }, NullLogger.Instance);

    private Task<IPAddress[]> NoSuchNameAsync(string name, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _lookUps);
        throw new SocketException((int)SocketError.HostNotFound);
    }
}
