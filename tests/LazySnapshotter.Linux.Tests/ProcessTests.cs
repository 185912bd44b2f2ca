using System.Net.Sockets;
using System.Text;

namespace LazySnapshotter.Linux.Tests;

public sealed class ProcessTests
{
    [Fact]
    public void The_process_knows_itself()
    {
        Assert.Equal(File.ReadAllText("/proc/sys/kernel/osrelease").Trim(), Libc.GetKernelRelease());
        Assert.Equal(Environment.IsPrivilegedProcess, Libc.GetUserId() == 0);
        Assert.True(Libc.RaiseOpenFileLimit() >= 256);
    }

    [Fact]
    public void An_event_ends_every_wait()
    {
        using var @event = Libc.CreateEvent();
        using var first = Libc.CreateEpoll();
        using var second = Libc.CreateEpoll();
        Libc.AddToEpoll(first, @event, exclusive: false);
        Libc.AddToEpoll(second, @event, exclusive: true);

        Libc.SignalEvent(@event);
        Libc.WaitForEpoll(first);
        Libc.WaitForEpoll(second);
        Libc.WaitForEpoll(first);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_service_manager_gets_one_datagram(bool isAbstract)
    {
        using var scratch = new Scratch();
        var name = isAbstract ? "@linux-test-" + Guid.NewGuid().ToString("n") : scratch.At("notify");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(isAbstract ? "\0" + name[1..] : name));

        Assert.Null(NotifyAt(name, "READY=1\nSTATUS=up"));

        var buffer = new byte[100];
        Assert.Equal("READY=1\nSTATUS=up", Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer)));
    }

    [Fact]
    public void Without_a_service_manager_nothing_is_sent() => Assert.Null(NotifyAt(null, "READY=1"));

    [Theory]
    [InlineData("/nowhere/notify")]
    [InlineData("@linux-test-nobody")]
    [InlineData("notify")]
    public void A_service_manager_that_does_not_listen_is_no_exception(string address) =>
        Assert.Contains(address, NotifyAt(address, "READY=1"), StringComparison.Ordinal);

    [Fact]
    public void An_address_too_long_for_a_socket_is_no_exception() =>
        Assert.Contains("NOTIFY_SOCKET=/xxx", NotifyAt("/" + new string('x', 200), "READY=1"), StringComparison.Ordinal);

    private static string? NotifyAt(string? address, string state)
    {
        var before = Environment.GetEnvironmentVariable("NOTIFY_SOCKET");
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", address);
        try
        {
            return ServiceManager.TryNotify(state);
        }
        finally
        {
            Environment.SetEnvironmentVariable("NOTIFY_SOCKET", before);
        }
    }
}
