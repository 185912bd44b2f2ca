using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Scheduling;

namespace LazySnapshotter.Registry.Tests.Scheduling;

// How long a host that failed is left alone, and what makes it forgotten.
public sealed class HostBackoffTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly HostBackoff _backoff = new(
        new RegistryOptions { RetryDelay = TimeSpan.FromMilliseconds(100), RetryDelayMax = TimeSpan.FromSeconds(30) });
    private DateTimeOffset _now = Noon;
    private long _number;

    [Fact]
    public void Each_failure_doubles_the_delay_up_to_half_a_minute_and_up_to_a_quarter_is_chance()
    {
        for (var failures = 1; failures <= 12; failures++)
        {
            var usual = Math.Min(100 * (1 << (failures - 1)), 30_000);
            var delay = Fail().TotalMilliseconds;
            Assert.InRange(delay, usual, usual * 1.25);
            _now = _backoff.NotBefore;
        }
    }

    [Fact]
    public void Each_request_to_a_host_in_trouble_makes_the_next_one_wait()
    {
        Fail();
        Fail();
        _now = _backoff.NotBefore;
        _backoff.Took(_now);
        Assert.Equal(TimeSpan.FromMilliseconds(200), _backoff.Wait(_now));
    }

    [Fact]
    public void Requests_that_fail_together_are_one_failure()
    {
        for (var number = 1; number <= 8; number++)
            _backoff.Failed(_now, number, newest: 8, null, isThrottle: false);
        Assert.Equal(1, _backoff.Failures);
        _backoff.Failed(_now, 9, newest: 9, null, isThrottle: false);
        Assert.Equal(2, _backoff.Failures);
    }

    [Fact]
    public void Bodies_that_break_while_the_host_is_left_alone_are_the_same_failure()
    {
        for (var i = 0; i < 8; i++)
            _backoff.Failed(_now, started: null, newest: 8, null, isThrottle: false);
        Assert.Equal(1, _backoff.Failures);
        _now = _backoff.NotBefore;
        _backoff.Failed(_now, started: null, newest: 8, null, isThrottle: false);
        Assert.Equal(2, _backoff.Failures);
    }

    [Fact]
    public void One_success_makes_up_for_one_failure()
    {
        Fail();
        Fail();
        Succeed();
        Assert.Equal(1, _backoff.Failures);
        Succeed();
        Assert.Equal(0, _backoff.Failures);
        _now = _backoff.NotBefore;
        _backoff.Took(_now);
        Assert.Equal(TimeSpan.Zero, _backoff.Wait(_now));
        Assert.True(_backoff.IsIdle(_now));
    }

    [Fact]
    public void It_takes_more_than_five_to_make_up_for_a_refusal_for_load()
    {
        Fail(isThrottle: true);
        Fail(isThrottle: true);
        for (var successes = 1; successes <= 12; successes++)
        {
            Succeed();
            Assert.Equal(2 - (successes / 6), _backoff.Failures);
        }

        Fail();
        Succeed();
        Assert.Equal(0, _backoff.Failures);
    }

    [Fact]
    public void A_success_of_a_request_that_is_older_than_the_failure_makes_up_for_nothing()
    {
        _backoff.Failed(_now, 3, newest: 5, null, isThrottle: false);
        foreach (var number in (ReadOnlySpan<int>)[1, 2, 4, 5])
            _backoff.Succeeded(number);
        Assert.Equal(1, _backoff.Failures);
        _backoff.Succeeded(6);
        Assert.Equal(0, _backoff.Failures);
    }

    [Fact]
    public void All_is_forgotten_when_nobody_asked_for_half_a_minute()
    {
        for (var i = 0; i < 5; i++)
            Fail(isThrottle: true);
        _now = _backoff.NotBefore + TimeSpan.FromSeconds(30.1);
        Assert.True(_backoff.IsIdle(_now));
        _backoff.Took(_now);
        Assert.Equal(0, _backoff.Failures);
        Assert.InRange(Fail().TotalMilliseconds, 100, 125);
    }

    [Theory]
    [InlineData(7, 7)]
    [InlineData(300, 300)]
    [InlineData(301, 300)]
    [InlineData(86_400 * 365, 300)]
    public void What_the_host_asks_for_is_done_up_to_five_minutes(int asked, int waited) =>
        Assert.Equal(TimeSpan.FromSeconds(waited), Fail(TimeSpan.FromSeconds(asked)));

    [Fact]
    public void A_host_that_asks_for_less_than_the_delay_gets_the_delay()
    {
        Assert.InRange(Fail(TimeSpan.FromMilliseconds(1)).TotalMilliseconds, 100, 125);
        Assert.Equal(TimeSpan.FromMinutes(5), Fail(TimeSpan.MaxValue));
    }

    [Fact]
    public void What_the_host_asked_for_holds_even_if_others_succeed_meanwhile()
    {
        Fail(TimeSpan.FromSeconds(10));
        Succeed();
        Assert.Equal(TimeSpan.FromSeconds(10), _backoff.Wait(_now));
    }

    private TimeSpan Fail(TimeSpan? retryAfter = null, bool isThrottle = false)
    {
        _number++;
        return _backoff.Failed(_now, _number, _number, retryAfter, isThrottle);
    }

    private void Succeed() => _backoff.Succeeded(++_number);
}
