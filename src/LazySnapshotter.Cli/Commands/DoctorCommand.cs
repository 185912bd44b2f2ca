using System.CommandLine;
using LazySnapshotter.Cli.Doctor;
using LazySnapshotter.Cli.Options;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Node.Options;
using Spectre.Console;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap doctor`: what this node has, what it lacks, and what that costs. Exit code 1 when something is missing.
internal static class DoctorCommand
{
    public static Command Create()
    {
        var root = RootOption.Create();
        var containerd = new Option<string>("--containerd")
        {
            Description = "containerd's socket",
            HelpName = "SOCK",
            DefaultValueFactory = _ => DaemonOptions.DefaultContainerd,
        };

        var command = new Command("doctor", "Check kernel, libraries, filesystems, privileges and containerd") { root, containerd };
        command.SetAction(async (parsed, _, cancellationToken) =>
        {
            Finding[] findings =
            [
                .. KernelChecks.Run(),
                OpenSsl(),
                .. StorageChecks.Run(parsed.GetValue(root) ?? RootOption.OfThisUser() ?? DaemonOptions.DefaultRoot),
                .. await ContainerdChecks.RunAsync(parsed.GetRequiredValue(containerd), cancellationToken),
            ];
            Write(findings);
            return findings.Any(finding => finding.Verdict == Verdict.Missing) ? Failure.ExitCode : 0;
        }, needsOpenSsl: false);
        return command;
    }

    private static Finding OpenSsl() => OpenSslLibrary.Find() is { } library
        ? new Finding(Verdict.Ok, "OpenSSL", library)
        : new Finding(Verdict.Missing, "OpenSSL", "no libssl", $"nothing can be hashed or fetched: install {OpenSslLibrary.Package}");

    private static void Write(IReadOnlyList<Finding> findings)
    {
        var table = new Table().NoBorder().HideHeaders().AddColumns("", "", "", "");
        foreach (var finding in findings)
        {
            var (word, style) = finding.Verdict switch
            {
                Verdict.Ok => ("ok", "green"),
                Verdict.Costs => ("costs", "yellow"),
                _ => ("missing", "red"),
            };
            table.AddRow(
                $"[{style}]{word}[/]", Markup.Escape(finding.Subject), Markup.Escape(finding.Found), Markup.Escape(finding.Consequence));
        }

        Terminal.Output.Write(table);
    }
}
