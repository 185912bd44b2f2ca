using System.Globalization;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.TestSupport.Containerd;

// A container that runs beside a test. Its tree is looked at from outside, through the root directory of its first process.
public sealed class RunningContainer : IAsyncDisposable
{
    private readonly ContainerdProcess _containerd;

    private RunningContainer(ContainerdProcess containerd, string id, int processId)
    {
        _containerd = containerd;
        Id = id;
        ProcessId = processId;
    }

    public string Id { get; }

    public int ProcessId { get; }

    /// <summary>The container's root, with proc, sys and dev mounted in it.</summary>
    public string RootPath => $"/proc/{ProcessId}/root";

    public Task<ProcessResult> ExecAsync(params IEnumerable<string> command) =>
        _containerd.CtrAsync(["tasks", "exec", "--exec-id", "exec-" + Guid.NewGuid().ToString("N")[..8], Id, .. command]);

    public async ValueTask DisposeAsync()
    {
        (await _containerd.CtrAsync("tasks", "delete", "--force", Id)).Checked();
        (await _containerd.CtrAsync("containers", "delete", Id)).Checked();
    }

    internal static async Task<RunningContainer> FindAsync(ContainerdProcess containerd, string id)
    {
        // TASK    PID      STATUS
        var table = (await containerd.CtrAsync("tasks", "list")).Checked().Output;
        foreach (var line in table.Split('\n'))
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var task, var processId, ..] && task == id)
                return new RunningContainer(containerd, id, int.Parse(processId, CultureInfo.InvariantCulture));
        }

        throw new InvalidOperationException($"container {id} was started but has no task:\n{table}");
    }
}
