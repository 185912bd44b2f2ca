using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using LazySnapshotter.Cli.Options;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Inspection;
using Microsoft.Extensions.Logging;
using Spectre.Console;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap registry check REF`: what the image's registry can and cannot do, step by step, and what that costs when a
// container starts. Exit code 1 when a step failed, or something is missing without which reading is not lazy.
internal static class RegistryCheckCommand
{
    public static Command Create()
    {
        var reference = ImageArguments.Reference();
        var json = new Option<bool>("--json") { Description = "As JSON, with every request" };
        var platform = ImageArguments.Platform();
        var plainHttp = ImageArguments.PlainHttp();

        var command = new Command("check", "Try what a lazy start needs of an image's registry: ping, token, manifest, redirect, ranges, " +
            "referrers") { reference, json, platform, plainHttp };
        command.SetAction(async (parsed, loggers, cancellationToken) =>
        {
            var image = ImageReference.Parse(parsed.GetRequiredValue(reference));
            var options = ImageArguments.RegistrySection(parsed.GetValue(plainHttp) ? [image.Registry] : [], parsed.HostsDirectory())
                .ToClientOptions();
            var report = await RegistryInspection.RunAsync(image, parsed.GetValue(platform)
                ?? Platform.Current, options, loggers.CreateLogger<RegistryInspection>(), cancellationToken);
            if (parsed.GetValue(json))
                Console.WriteLine(JsonSerializer.Serialize(report, RegistryCheckJson.Default.InspectionReport));
            else
                Write(report);
            foreach (var step in report.Steps.Where(step => step.Verdict == InspectionVerdict.Failed))
                await Console.Error.WriteLineAsync($"lazysnap: {step.Name}: {step.Found}");
            return report.Steps.Any(step => step.Verdict is InspectionVerdict.Failed or InspectionVerdict.Missing) ? Failure.ExitCode : 0;
        });
        return command;
    }

    private static void Write(InspectionReport report)
    {
        var table = new Table().NoBorder().AddColumns("", "", "ms", "requests", "found", "");
        foreach (var step in report.Steps)
        {
            var (word, style) = step.Verdict switch
            {
                InspectionVerdict.Ok => ("ok", "green"),
                InspectionVerdict.Costs => ("costs", "yellow"),
                InspectionVerdict.Missing => ("missing", "red"),
                _ => ("failed", "red"),
            };
            table.AddRow(
                $"[{style}]{word}[/]", Markup.Escape(step.Name), step.Milliseconds.ToString("0.0", CultureInfo.InvariantCulture),
                step.Requests.Count.ToString(CultureInfo.InvariantCulture), Markup.Escape(step.Found), Markup.Escape(step.Consequence));
        }

        Console.WriteLine($"{report.Reference} at {report.Endpoint}");
        Terminal.Output.Write(table);
        WriteCost("first read of a layer, nothing known", report.ColdRead);
        WriteCost("read of a layer that is known", report.WarmRead);
    }

    private static void WriteCost(string what, ReadCost? cost)
    {
        if (cost is null)
            return;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what}: {cost.Requests} requests over {cost.Connections} new connections, {cost.RoundTrips} round " +
                $"trips, {cost.Milliseconds:0.0} ms"));
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(InspectionReport))]
internal sealed partial class RegistryCheckJson : JsonSerializerContext;
