using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Scheduling;
using Microsoft.Extensions.Logging.Abstractions;

namespace LazySnapshotter.Registry.Tests.Scheduling;

// One host's queue on a clock that stands still: no thread, no wait, every step is a call.
internal sealed class QueueBench
{
    public QueueBench(int limit, int? limitMax = null)
    {
        Options = new RegistryOptions
        {
            Clock = Clock,
            ConcurrencyStart = limit,
            ConcurrencyMax = limitMax ?? limit,
            RetryDelay = TimeSpan.FromMilliseconds(100),
            RetryDelayMax = TimeSpan.FromSeconds(30),
        };
        Queue = New("registry.example");
    }

    public StoppedClock Clock { get; } = new();

    public RegistryOptions Options { get; }

    public HostQueue Queue { get; }

    public static TurnRequest Request(ReadUrgency urgency, TurnKind kind = TurnKind.Blob, long bytes = 0) =>
        new(new ReadPriority(urgency), new TurnLoad(kind, bytes));

    public HostQueue New(string host) => new(host, Options, NullLogger.Instance);

    public Turn Enter(ReadUrgency urgency, TurnKind kind = TurnKind.Blob, long bytes = 0) => Queue.Enter(Request(urgency, kind, bytes));

    public Turn Demanded() => Enter(ReadUrgency.Demanded);

    public Turn Metadata() => Enter(ReadUrgency.Metadata, TurnKind.Manifest);

    public Turn Predicted() => Enter(ReadUrgency.Predicted);

    public Turn Background() => Enter(ReadUrgency.Background);

    public void AssertEmpty()
    {
        var activity = Queue.Activity;
        Assert.Equal((0, 0), (activity.Active, activity.Waiting));
        Assert.Equal(0, Clock.Timers);
    }
}
