using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.TestSupport.Containerd;

// The config.toml of a test's containerd. Version 2 of the format is read by every containerd from 1.3 to 2.x.
internal static class ContainerdConfiguration
{
    // CRI takes a port and complains without CNI plugins, so it is there only where a test is about it. The last three are what
    // 2.x made of it.
    private const string CriPlugins = """
        "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime",
        "io.containerd.podsandbox.controller.v1.cri",
        """;

    // The first section is that of 1.x. 2.x takes it over from a configuration of version 2, but not these two keys where no
    // runtimes are listed (seen in 2.1.9), so it is told in its own words.
    private const string Cri = $"""
        [plugins."io.containerd.grpc.v1.cri".containerd]
          snapshotter = "{ContainerdProcess.PluginName}"
          disable_snapshot_annotations = false
        [plugins."io.containerd.cri.v1.images"]
          snapshotter = "{ContainerdProcess.PluginName}"
          disable_snapshot_annotations = false
        """;

    public static string Create(TestDirectory directory, string address, ContainerdOptions options) => $"""
        version = 2
        root = "{directory.Combine("root")}"
        state = "{directory.Combine("state")}"
        # opt and nri write to folders of the machine.
        disabled_plugins = [
          {(options.Cri ? "" : CriPlugins)}
          "io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri",
          "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp",
        ]

        [grpc]
          address = "{address}"
        [ttrpc]
          address = "{address}.ttrpc"
        [plugins."io.containerd.metadata.v1.bolt"]
          content_sharing_policy = "{(options.SharesContent ? "shared" : "isolated")}"
        {Plugin(directory, options)}
        {(options.Cri ? Cri : "")}
        """;

    // The transfer service (1.7 on) unpacks only with the snapshotters listed for it, and passes a layer's reference and
    // digest on only where the plugin's exports ask for it (2.1 on).
    private static string Plugin(TestDirectory directory, ContainerdOptions options) => options.SnapshotterAddress is null ? "" : $"""
        [proxy_plugins.{ContainerdProcess.PluginName}]
          type = "snapshot"
          address = "{options.SnapshotterAddress}"
          [proxy_plugins.{ContainerdProcess.PluginName}.exports]
            root = "{options.SnapshotterRoot ?? directory.Combine("lazysnap")}"
            enable_remote_snapshot_annotations = "true"

        [plugins."io.containerd.transfer.v1.local"]
          [[plugins."io.containerd.transfer.v1.local".unpack_config]]
            platform = "linux/{Architecture}"
            snapshotter = "overlayfs"
          [[plugins."io.containerd.transfer.v1.local".unpack_config]]
            platform = "linux/{Architecture}"
            snapshotter = "{ContainerdProcess.PluginName}"
        """;

    private static string Architecture =>
        System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64
            ? "arm64"
            : "amd64";
}
