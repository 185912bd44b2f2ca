using System.Globalization;
using System.Security.Cryptography;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Containerd.Pull;

// The name of a snapshot while a layer is unpacked into it: containerd's format, by which other tools know it for what it
// is (core/snapshots, UnpackKeyFormat).
internal static class UnpackKey
{
    public static string New(Digest chainId)
    {
        var nanoseconds = DateTime.UtcNow.Ticks % TimeSpan.TicksPerSecond * 100;
        var random = Convert.ToBase64String(RandomNumberGenerator.GetBytes(3)).Replace('+', '-').Replace('/', '_');
        return string.Create(CultureInfo.InvariantCulture, $"extract-{nanoseconds}-{random} {chainId}");
    }
}
