namespace LazySnapshotter.Fuse.Tests;

public sealed class PendingSignalsTests
{
    [Theory]
    [InlineData("0000000000000000", "0000000000000000", "0000000000000000", false)] // nothing is pending
    [InlineData("0000000000000100", "0000000000000000", "0000000000000000", true)] // SIGKILL
    [InlineData("0000000000004000", "0000000000000000", "0000000000000000", true)] // SIGTERM, default action
    [InlineData("0000000000004000", "0000000000000000", "0000000000004000", false)] // SIGTERM, handled
    [InlineData("0000000000000000", "0000000000000002", "0000000000000000", true)] // SIGINT to the process
    [InlineData("0000000000400000", "0000000000000000", "0000000000000000", false)] // SIGURG
    [InlineData("0000000000080000", "0000000000000000", "0000000000000000", false)] // SIGTSTP stops, does not end
    [InlineData("0000000200000000", "0000000000000000", "0000000000000000", true)] // a real-time signal
    public void Only_a_signal_that_ends_the_thread_counts(string thread, string process, string caught, bool ends)
    {
        var status = $"Name:\tdd\nSigPnd:\t{thread}\nShdPnd:\t{process}\nSigBlk:\t0000000000000000\n" +
            $"SigIgn:\t0000000000000000\nSigCgt:\t{caught}\nCapInh:\tffffffffffffffff\n";
        Assert.Equal(ends, PendingSignals.EndThread(status));
    }
}
