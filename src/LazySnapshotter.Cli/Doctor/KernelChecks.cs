using System.Globalization;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Cli.Doctor;

// The kernel and what it offers: version, FUSE, overlayfs, limits an administrator may have set, our own privileges.
internal static class KernelChecks
{
    private const int CAP_SYS_ADMIN = 21;

    private static readonly Version _floor = new(5, 10);

    public static IEnumerable<Finding> Run()
    {
        var release = Libc.GetKernelRelease();
        var version = ParseRelease(release);
        yield return version >= _floor
            ? new Finding(Verdict.Ok, "kernel", release)
            : new Finding(Verdict.Missing, "kernel", release, $"needs Linux {_floor} or later");
        if (version >= _floor && version < new Version(6, 12))
            yield return new Finding(Verdict.Costs, "idmapped mounts on FUSE", "not before Linux 6.12",
                "containers with user namespaces need containerd's remapping by copy");

        yield return Filesystem("fuse", "modprobe fuse");
        yield return Device();
        yield return Filesystem("overlay", "modprobe overlay");
        yield return Privileges();
        if (RequestTimeout() is { } timeout)
            yield return timeout;
    }

    private static Version ParseRelease(string release)
    {
        var digits = release.TakeWhile(c => char.IsAsciiDigit(c) || c == '.').ToArray();
        return Version.TryParse(new string(digits).Trim('.'), out var version) ? version : new Version(0, 0);
    }

    private static Finding Filesystem(string name, string remedy) =>
        File.ReadLines("/proc/filesystems").Any(line => line.EndsWith("\t" + name, StringComparison.Ordinal))
            ? new Finding(Verdict.Ok, $"{name} filesystem", "known to the kernel")
            : new Finding(Verdict.Missing, $"{name} filesystem", "not loaded", $"no layer can be mounted: {remedy}");

    private static Finding Device()
    {
        try
        {
            Libc.Open("/dev/fuse", OpenFlags.O_RDWR).Dispose();
            return new Finding(Verdict.Ok, "/dev/fuse", "opens");
        }
        catch (LinuxException e)
        {
            return new Finding(Verdict.Missing, "/dev/fuse", e.Message, "the daemon needs it for reading and writing");
        }
    }

    private static Finding Privileges()
    {
        var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("CapEff:", StringComparison.Ordinal));
        var effective = ulong.Parse(line["CapEff:".Length..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return (effective >> CAP_SYS_ADMIN & 1) == 1
            ? new Finding(Verdict.Ok, "privileges", "CAP_SYS_ADMIN")
            : new Finding(Verdict.Missing, "privileges", "no CAP_SYS_ADMIN", "serve and mount need it; ls, cat and index work without");
    }

    // A default timeout makes the kernel end the whole connection when one fetch is slow (since Linux 6.15).
    private static Finding? RequestTimeout()
    {
        const string path = "/proc/sys/fs/fuse/default_request_timeout";
        if (!File.Exists(path))
            return null;
        var seconds = File.ReadAllText(path).Trim();
        return seconds == "0"
            ? new Finding(Verdict.Ok, "fs.fuse.default_request_timeout", "off")
            : new Finding(Verdict.Costs, "fs.fuse.default_request_timeout", $"{seconds} s",
                "a registry slower than this ends every lazy mount on the node: set it to 0");
    }
}
