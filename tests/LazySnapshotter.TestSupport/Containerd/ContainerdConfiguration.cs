using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.TestSupport.Containerd;

// The config.toml of a test's containerd. Version 2 of the format is read by every containerd from 1.3 to 2.x.
internal static class ContainerdConfiguration
{
    public static string Create(TestDirectory directory, string address, ContainerdOptions options) => $"""
        version = 2
        root = "{directory.Combine("root")}"
        state = "{directory.Combine("state")}"
        # CRI needs CNI plugins and takes ports; opt and nri write to folders of the machine. 2.x has other names for CRI's parts.
        disabled_plugins = [
          "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime",
          "io.containerd.podsandbox.controller.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri",
          "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp",
        ]

        [grpc]
          address = "{address}"
        [ttrpc]
          address = "{address}.ttrpc"
        [plugins."io.containerd.metadata.v1.bolt"]
          content_sharing_policy = "{(options.SharesContent ? "shared" : "isolated")}"
        {Plugin(directory, options)}
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
        System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64";
}
