using LazySnapshotter.Fuse.Protocol;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Fuse;

// INIT, the first request of a connection: versions, features, sizes. The kernel holds everything else back until it
// is answered.
internal sealed partial class FuseDispatcher
{
    // Below this many open read-ahead requests the kernel does not hold writers back; it suggests three quarters.
    private const int CongestionNumerator = 3, CongestionDenominator = 4;

    // The kernel takes the smaller of this and its own limit of 128 KiB; FuseMount.RaiseReadAhead comes later.
    private const uint ReadAheadLengthMax = FuseLimits.ReadLengthMax;

    private void Initialize(ref FuseRequest request)
    {
        var unique = request.Header.Unique;
        var offer = request.Read<FuseInitIn>();
        if (offer.Major > FuseFeatures.MajorVersion)
        {
            // It answers with an INIT that speaks our version.
            _device.Reply(unique, new FuseInitOut { Major = FuseFeatures.MajorVersion, Minor = FuseFeatures.MinorVersionMax });
            return;
        }

        if (offer.Major < FuseFeatures.MajorVersion || offer.Minor < FuseFeatures.MinorVersionMin)
        {
            _device.ReplyError(unique, Errno.EPROTO);
            _connection.Initialized.TrySetException(new NotSupportedException(
                $"the kernel speaks FUSE {offer.Major}.{offer.Minor}; {FuseFeatures.MajorVersion}.{FuseFeatures.MinorVersionMin} (Linux " +
                    $"5.10) or later is needed"));
            return;
        }

        var offered = (FuseInitFlags)offer.Flags;
        if (offered.HasFlag(FuseInitFlags.FUSE_INIT_EXT) && request.TryRead<uint>(out var flags2))
            offered |= (FuseInitFlags)((ulong)flags2 << 32);

        var features = FuseFeatures.Negotiate(offer.Minor, offered, _connection.Options.DisabledFeatures);
        var background = _connection.Options.BackgroundRequestsMax;

        // Before the reply: the next request may be in another thread's hands before this thread runs again.
        _connection.SetFeatures(features);
        _device.Reply(unique, new FuseInitOut
        {
            Major = FuseFeatures.MajorVersion,
            Minor = features.MinorVersion,
            MaxReadAhead = ReadAheadLengthMax,
            Flags = (uint)features.Flags,
            Flags2 = (uint)((ulong)features.Flags >> 32),
            MaxBackground = background,
            CongestionThreshold = (ushort)(background * CongestionNumerator / CongestionDenominator),
            MaxWrite = FuseLimits.WriteLengthMax,
            TimeGranularity = 1,
            MaxPages = FuseLimits.PagesMax,
        });
        _connection.Initialized.TrySetResult(features);
    }
}
