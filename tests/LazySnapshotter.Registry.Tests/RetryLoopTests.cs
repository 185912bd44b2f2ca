using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Http;

namespace LazySnapshotter.Registry.Tests;

// Loops inside each other: whose repetitions count.
public sealed class RetryLoopTests
{
    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(2, 0, 3)] // an inner loop that may not repeat leaves it to the outer one
    [InlineData(0, 2, 3)]
    [InlineData(5, 2, 3)] // one that has repeated is enough
    public async Task What_may_pass_is_repeated_by_one_loop(int outerLimit, int innerLimit, int attempts)
    {
        var made = 0;
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => RetryLoop.RunAsync<int>(outerLimit, _ => RetryLoop.RunAsync<int>(innerLimit, _ =>
            {
                made++;
                throw RequestSubject.Ping.TransientError(RegistryFailure.Unavailable, "mirror.example", "503");
            })));
        Assert.Equal(attempts, made);
        Assert.Equal(outerLimit + innerLimit > 0, error.WasRepeated);
    }
}
