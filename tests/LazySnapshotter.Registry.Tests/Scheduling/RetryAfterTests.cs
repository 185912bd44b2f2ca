using LazySnapshotter.Registry.Scheduling;

namespace LazySnapshotter.Registry.Tests.Scheduling;

// RFC 9110 section 10.2.3, and what hosts make of it.
public sealed class RetryAfterTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("120", 120)]
    [InlineData(" 5 ", 5)]
    [InlineData("Sun, 01 Mar 2026 12:00:30 GMT", 30)]
    [InlineData("Sunday, 01-Mar-26 12:00:30 GMT", 30)]
    [InlineData("Sun Mar  1 12:00:30 2026", 30)]
    public void Seconds_and_dates_are_understood(string value, int seconds) => Assert.Equal(TimeSpan.FromSeconds(seconds), Of(value));

    [Theory]
    [InlineData("0")]
    [InlineData("-5")]
    [InlineData("1.5")]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("Sun, 01 Mar 2026 11:59:59 GMT")]
    [InlineData("Thu, 01 Jan 1970 00:00:00 GMT")]
    public void What_is_over_or_nonsense_is_nothing(string value) => Assert.Null(Of(value));

    [Theory]
    [InlineData("99999999999")]
    [InlineData("999999999999999999999999999999999999")]
    public void An_absurd_number_is_a_long_time(string value) => Assert.True(Of(value) > HostBackoff.RetryAfterMax);

    [Fact]
    public void A_date_is_read_by_the_clock_of_the_host_that_wrote_it()
    {
        // An hour ahead of us: its "in 20 seconds" is not an hour away.
        Assert.Equal(TimeSpan.FromSeconds(20), Of("Sun, 01 Mar 2026 13:00:20 GMT", date: "Sun, 01 Mar 2026 13:00:00 GMT"));
    }

    [Fact]
    public void Nothing_asked_is_nothing() => Assert.Null(RetryAfter.Of(new HttpResponseMessage().Headers, Now));

    private static TimeSpan? Of(string value, string? date = null)
    {
        using var response = new HttpResponseMessage();
        response.Headers.TryAddWithoutValidation("Retry-After", value);
        if (date is not null)
            response.Headers.TryAddWithoutValidation("Date", date);
        return RetryAfter.Of(response.Headers, Now);
    }
}
