using LazySnapshotter.Linux;

namespace LazySnapshotter.Daemon.Tests.Conformance;

// A change to a directory tree, applied to a mounted snapshot and to a plain directory alike (containerd's tests call
// these appliers). Permissions are set outright, so the test process's umask does not matter.
public delegate void TreeChange(string root);

internal static class Change
{
    public static TreeChange All(params TreeChange[] changes) => root => Array.ForEach(changes, change => change(root));

    public static TreeChange CreateFile(string path, string content, string octalPermissions) => root =>
    {
        File.WriteAllText(At(root, path), content);
        Libc.Chmod(At(root, path), Convert.ToUInt32(octalPermissions, 8));
    };

    public static TreeChange CreateDirectory(string path, string octalPermissions) => root =>
    {
        Directory.CreateDirectory(At(root, path));
        Libc.Chmod(At(root, path), Convert.ToUInt32(octalPermissions, 8));
    };

    public static TreeChange RemoveAll(string path) => root =>
    {
        if (Directory.Exists(At(root, path)))
            Directory.Delete(At(root, path), recursive: true);
        else
            File.Delete(At(root, path));
    };

    public static TreeChange Rename(string from, string to) => root => Libc.Rename(At(root, from), At(root, to));

    public static TreeChange Link(string existing, string path) => root => Libc.MakeHardLink(At(root, existing), At(root, path));

    public static TreeChange Chown(string path, uint uid, uint gid) => root => Libc.Chown(At(root, path), uid, gid);

    private static string At(string root, string path) => Path.Combine(root, path.TrimStart('/'));
}
