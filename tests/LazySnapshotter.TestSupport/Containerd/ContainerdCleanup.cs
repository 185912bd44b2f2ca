using System.Globalization;
using System.Text;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.TestSupport.Containerd;

// Leaves the machine as it was, whatever state a test left its containerd in: first the ordinary way through containerd,
// then by hand for what is still there. Only processes that carry this containerd's address are touched.
internal static class ContainerdCleanup
{
    private const string CgroupRoot = "/sys/fs/cgroup";

    private static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(10);

    public static async Task DeleteContainersAsync(ContainerdProcess containerd)
    {
        try
        {
            foreach (var id in await ListAsync(containerd, "tasks"))
                await containerd.CtrAsync(CommandTimeout, ["tasks", "delete", "--force", id]);
            foreach (var id in await ListAsync(containerd, "containers"))
                await containerd.CtrAsync(CommandTimeout, ["containers", "delete", id]);
        }
        catch (TimeoutException)
        {
            // containerd hangs; KillShims ends what it did not.
        }
    }

    /// <summary>Kills the shims of a containerd and the containers under them.</summary>
    public static void KillShims(string address)
    {
        foreach (var shim in FindShims(address))
        {
            // The shim first: it would otherwise report and clean up at a containerd that is gone.
            var containers = Children(shim);
            Signals.Send(shim, Signals.SIGKILL);
            foreach (var container in containers)
                Signals.Send(container, Signals.SIGKILL);
        }
    }

    /// <summary>runc removes a container's cgroups, unless it was killed together with its shim.</summary>
    public static void RemoveCgroups(string name)
    {
        if (!Directory.Exists(CgroupRoot))
            return;

        // cgroup v2: one tree; v1: one per controller.
        string[] trees = [CgroupRoot, .. Directory.GetDirectories(CgroupRoot)];
        foreach (var folder in trees.Select(tree => Path.Combine(tree, name)).Where(Directory.Exists))
        {
            foreach (var container in Directory.GetDirectories(folder))
                TryRemove(container);
            TryRemove(folder);
        }
    }

    private static async Task<string[]> ListAsync(ContainerdProcess containerd, string kind) =>
        (await containerd.CtrAsync(CommandTimeout, [kind, "list", "--quiet"])).Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    // containerd-shim-runc-v2 -namespace N -id ID -address ADDRESS
    private static IEnumerable<int> FindShims(string address)
    {
        foreach (var folder in Directory.GetDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var processId))
                continue;
            var arguments = Encoding.UTF8.GetString(ReadProc(Path.Combine(folder, "cmdline"))).Split('\0');
            if (Path.GetFileName(arguments[0]).StartsWith("containerd-shim", StringComparison.Ordinal) && arguments.Contains(address))
                yield return processId;
        }
    }

    private static List<int> Children(int processId)
    {
        var children = new List<int>();
        var tasks = $"/proc/{processId}/task";
        foreach (var task in Directory.Exists(tasks) ? Directory.GetDirectories(tasks) : [])
        {
            var text = Encoding.ASCII.GetString(ReadProc(Path.Combine(task, "children")));
            children.AddRange(
                text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(id => int.Parse(id, CultureInfo.InvariantCulture)));
        }

        return children;
    }

    // A process may end while it is looked at.
    private static byte[] ReadProc(string file)
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static void TryRemove(string cgroup)
    {
        try
        {
            Directory.Delete(cgroup);
        }
        catch (IOException)
        {
            // A process that was just killed still counts as its member: harmless, and gone with the next boot.
        }
    }
}
