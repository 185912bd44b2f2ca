namespace LazySnapshotter.Oci.Tests;

public sealed class ReadPriorityTests
{
    [Fact]
    public void It_is_not_lowered_by_raising()
    {
        var priority = ReadPriority.Background();
        priority.RaiseTo(ReadUrgency.Predicted);
        priority.RaiseTo(ReadUrgency.Background);
        Assert.Equal(ReadUrgency.Predicted, priority.Urgency);
        priority.RaiseTo(ReadUrgency.Demanded);
        priority.RaiseTo(ReadUrgency.Metadata);
        Assert.Equal(ReadUrgency.Demanded, priority.Urgency);
    }

    [Fact]
    public void Everybody_who_listens_is_told_of_every_raise_and_of_nothing_else()
    {
        var priority = ReadPriority.Background();
        var told = new List<string>();
        using var first = priority.OnRaised(() => told.Add($"first {priority.Urgency}"));
        var second = priority.OnRaised(() => told.Add($"second {priority.Urgency}"));
        priority.RaiseTo(ReadUrgency.Predicted);
        priority.RaiseTo(ReadUrgency.Predicted);
        second.Dispose();
        priority.RaiseTo(ReadUrgency.Demanded);
        Assert.Equal(["first Predicted", "second Predicted", "first Demanded"], told);
    }

    [Fact]
    public void It_settles_when_the_rest_is_no_hurry_and_may_be_raised_again()
    {
        var priority = ReadPriority.Metadata();
        var told = new List<ReadUrgency>();
        using var listening = priority.OnRaised(() => told.Add(priority.Urgency));
        priority.Settle(ReadUrgency.Predicted);
        priority.Settle(ReadUrgency.Predicted);
        priority.RaiseTo(ReadUrgency.Demanded);
        Assert.Equal([ReadUrgency.Predicted, ReadUrgency.Demanded], told);
    }

    [Fact]
    public void A_listener_may_stop_listening_while_it_is_told()
    {
        var priority = ReadPriority.Background();
        var told = 0;
        IDisposable? listening = null;
        listening = priority.OnRaised(() =>
        {
            told++;
            listening!.Dispose();
        });
        priority.RaiseTo(ReadUrgency.Predicted);
        priority.RaiseTo(ReadUrgency.Demanded);
        Assert.Equal(1, told);
    }
}
