using LazySnapshotter.Linux;

namespace LazySnapshotter.Snapshots.Directories;

// Asks the kernel what an overlay mount needs here, by mounting one.
public static class OverlayProbe
{
    private const string UserNamespaceMap = "/proc/self/uid_map";

    /// <summary>
    /// Inside a user namespace overlayfs may not keep its marks in trusted.* and has to use user.* (Linux 5.11; some
    /// distributions' older kernels mount without the option and do not know it).
    /// </summary>
    /// <param name="root">A directory to try it in, on the filesystem that will hold the upper directories.</param>
    public static bool NeedsUserXattr(string root) => InUserNamespace() && CanMount(root, "userxattr");

    // The first namespace maps every id to itself: "0 0 4294967295".
    private static bool InUserNamespace() => File.Exists(UserNamespaceMap)
        && File.ReadAllText(UserNamespaceMap).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries) is not ["0", "0", "4294967295"];

    private static bool CanMount(string root, string option)
    {
        var probe = Path.Combine(root, $"probe-{Guid.NewGuid():N}");
        string Make(string name) => Directory.CreateDirectory(Path.Combine(probe, name)).FullName;
        var merged = Make("merged");
        try
        {
            var data = $"lowerdir={Make("lower")},upperdir={Make("upper")},workdir={Make("work")},{option}";
            Libc.Mount("overlay", merged, "overlay", MountFlags.None, data);
            Libc.Unmount(merged, UnmountFlags.MNT_DETACH);
            return true;
        }
        catch (LinuxException)
        {
            // Also where the option is known but the filesystem keeps no user.* attributes (tmpfs before 6.6).
            return false;
        }
        finally
        {
            DirectoryTree.Delete(probe, CancellationToken.None);
        }
    }
}
