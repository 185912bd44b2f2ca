namespace LazySnapshotter.Node.Composition;

// The directory where a node keeps what it has of images: for the user who owns it alone.
public static class RootDirectory
{
    /// <summary>Makes it where it is not there yet.</summary>
    /// <exception cref="IOException">It cannot be had; the message names it and says what to do.</exception>
    public static void Make(string path)
    {
        if (File.Exists(path))
            throw new IOException($"{path}: it is a file; the root is a directory, choose another with --root");
        try
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"cannot make the root directory {path}: permission denied; choose another with --root", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new IOException($"cannot make the root directory {path}: nothing can be made there; choose another with --root", e);
        }
        catch (IOException e)
        {
            throw new IOException($"cannot make the root directory {path}: {e.Message}; choose another with --root", e);
        }
    }
}
