using LazySnapshotter.Registry.Scheduling;

namespace LazySnapshotter.Registry.Tests.Scheduling;

// What "slower than its peers" is, and how often something is done about it.
public sealed class HedgeRuleTests
{
    [Fact]
    public void Fewer_than_sixteen_answers_say_nothing()
    {
        var times = new AnswerTimes();
        for (var i = 1; i < AnswerTimes.CountMin; i++)
            times.Add(TimeSpan.FromMilliseconds(i));
        Assert.Null(times.Percentile95);
        times.Add(TimeSpan.FromMilliseconds(16));
        Assert.Equal(TimeSpan.FromMilliseconds(16), times.Percentile95);
    }

    [Fact]
    public void One_in_twenty_may_be_slower()
    {
        var times = new AnswerTimes();
        for (var i = 0; i < 64; i++)
            times.Add(TimeSpan.FromMilliseconds(i % 32 == 0 ? 5000 : 20));
        Assert.Equal(TimeSpan.FromMilliseconds(20), times.Percentile95);
        for (var i = 0; i < 8; i++)
            times.Add(TimeSpan.FromMilliseconds(5000));
        Assert.Equal(TimeSpan.FromMilliseconds(5000), times.Percentile95);
    }

    [Fact]
    public void What_is_long_ago_counts_no_more()
    {
        var times = new AnswerTimes();
        for (var i = 0; i < 64; i++)
            times.Add(TimeSpan.FromSeconds(9));
        for (var i = 0; i < 64; i++)
            times.Add(TimeSpan.FromMilliseconds(7));
        Assert.Equal(TimeSpan.FromMilliseconds(7), times.Percentile95);
    }

    [Fact]
    public void One_hedge_is_there_to_begin_with_and_each_twenty_requests_earn_another()
    {
        var budget = new HedgeBudget();
        Assert.True(budget.TryTake());
        Assert.False(budget.TryTake());
        for (var i = 0; i < 19; i++)
            budget.CountRequest();
        Assert.False(budget.TryTake());
        budget.CountRequest();
        Assert.True(budget.TryTake());
        Assert.False(budget.TryTake());
    }

    [Fact]
    public void No_more_than_two_are_saved_up()
    {
        var budget = new HedgeBudget();
        for (var i = 0; i < 1000; i++)
            budget.CountRequest();
        Assert.True(budget.TryTake());
        Assert.True(budget.TryTake());
        Assert.False(budget.TryTake());
    }

    [Fact]
    public void Of_many_slow_requests_a_twentieth_is_sent_again()
    {
        var budget = new HedgeBudget();
        var hedges = 0;
        for (var i = 0; i < 1000; i++)
        {
            budget.CountRequest();
            hedges += budget.TryTake() ? 1 : 0;
        }

        Assert.InRange(hedges, 50, 51);
    }
}
