using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Scheduling;

namespace LazySnapshotter.Registry.Http;

// A body on its way. Its end, however it comes, is the end of the turn at its host.
internal sealed class TurnStream(Stream body, Turn turn, HopReport report) : ForwardStream
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = -1;
        try
        {
            count = await body.ReadAsync(buffer, cancellationToken);
            return count;
        }
        finally
        {
            if (count > 0)
                report.Received(count);
            else if (count < 0 || buffer.Length > 0)
                End();
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            body.Dispose();
            End();
        }

        base.Dispose(disposing);
    }

    private void End()
    {
        turn.Dispose();
        report.End();
    }
}
