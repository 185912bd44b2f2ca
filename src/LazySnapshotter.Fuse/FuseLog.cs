using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Fuse.Protocol;
using LazySnapshotter.Linux;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Fuse;

internal static partial class FuseLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "FUSE {Session}: serving {MountPoint} with protocol 7.{MinorVersion}, {Flags}")]
    public static partial void SessionStarted(ILogger logger, string session, string mountPoint, uint minorVersion, FuseInitFlags flags);

    [LoggerMessage(Level = LogLevel.Information, Message = "FUSE {Session}: unmounted")]
    public static partial void Unmounted(ILogger logger, string session);

    [LoggerMessage(
        Level = LogLevel.Error, Message = "FUSE {Session}: the connection was aborted; the mount answers ENOTCONN until it is unmounted")]
    public static partial void ConnectionAborted(ILogger logger, string session);

    [LoggerMessage(Level = LogLevel.Error, Message = "FUSE {Session}: cannot read requests: {Errno}")]
    public static partial void ReceiveFailed(ILogger logger, string session, Errno errno);

    [LoggerMessage(Level = LogLevel.Error, Message = "FUSE: {Opcode} of node {Node} failed and was answered with EIO")]
    public static partial void RequestFailed(ILogger logger, FuseOpcode opcode, NodeId node, Exception exception);

    [LoggerMessage(
        Level = LogLevel.Error, Message = "FUSE: read of node {Node}, {Length} bytes at {Offset}, failed and was answered with EIO")]
    public static partial void ReadFailed(ILogger logger, NodeId node, long offset, int length, Exception exception);

    [LoggerMessage(
        Level = LogLevel.Debug, Message = "FUSE: read of node {Node} at {Offset} given up after {Elapsed}: thread {ThreadId} is ending")]
    public static partial void ReadInterrupted(ILogger logger, NodeId node, long offset, TimeSpan elapsed, uint threadId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "FUSE: a callback of a cancelled read failed")]
    public static partial void CancellationFailed(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "FUSE: a message from the kernel makes no sense and was not answered")]
    public static partial void RequestMalformed(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "FUSE: the kernel refused the reply to request {Unique} ({Length} bytes): {Errno}")]
    public static partial void ReplyRefused(ILogger logger, ulong unique, int length, Errno errno);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "FUSE {Session}: cannot raise read-ahead of {MountPoint}; sequential reads stay at 128 KiB a request")]
    public static partial void ReadAheadNotRaised(ILogger logger, string session, string mountPoint, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "FUSE {Session}: sysctl {Name} is {Value} s; a fetch that takes longer makes the kernel abort the whole mount")]
    public static partial void RequestTimeoutConfigured(ILogger logger, string session, string name, string value);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "FUSE {Session}: {Count} reads did not end within {Grace} after they were cancelled")]
    public static partial void ReadsAbandoned(ILogger logger, string session, int count, TimeSpan grace);
}
