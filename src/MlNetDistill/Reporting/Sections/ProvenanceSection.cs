using System.Xml.Linq;
using MlNetDistill.Evaluation;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>Settings, hashes and versions: to repeat the run, or to find out what has changed.</summary>
internal static class ProvenanceSection
{
    public static Section Create(DistillationReport report) => Create(ComparedModel.From(report), report.Data, report.TrainingOverlap, report.Versions);

    public static Section Create(IReadOnlyList<ComparedModel> models, IReadOnlyList<ReportedData> rows, TrainingOverlap? trainingOverlap, IReadOnlyList<ReportedSetting> versions) =>
        new(
            "provenance",
            "Settings, data and versions",
            Table.Create(
                "provenance-models",
                "Models",
                ["Model", "What it is", "SHA-256 of the contents of the saved model (not of the zip file)"],
                models.Select(model => (object?[])[Name(model.Name), Text(model.Model.Kind), Hash(model.Model.Hash)])),
            rows.Count == 0 ? null : Table.Create("provenance-data", "Data", ["Data", "Rows", "Hash of all columns and row ids"],
                rows.Select(data => (object?[])
            [
                Name(data.Name), Figures.Count(data.Rows), Hash(data.Hash),
            ])),
            trainingOverlap is { } overlap ? Paragraph(Unbroken($"{overlap}")) : null,
            Settings([.. models.Where(model => model.Model.Settings.Count > 0)]),
            versions.Count == 0 ? null : Table.Create("provenance-versions", "Versions", ["Component", "Version"], versions.Select(version => (object?[])
            [
                Tag("bdi", CodeName(version.Name)), Table.TextCell(Name(version.Value)),
            ])));

    /// <summary>The seeds come first, as they are needed to repeat a run.</summary>
    private static XElement? Settings(IReadOnlyList<ComparedModel> models)
    {
        var names = models.SelectMany(model => model.Model.Settings).Select(setting => setting.Name).Distinct()
            .OrderBy(name => !name.Contains("seed", StringComparison.OrdinalIgnoreCase)).ToList();
        return names.Count == 0 ? null : Table.Create(
            "provenance-settings",
            "Training settings, seeds first",
            [.. models.Select(model => (object)Name(model.Name)).Prepend("Setting")],
            names.Select(name => (object?[])[Tag("bdi", CodeName(name)),
                .. models.Select(model => Text(model.Model.Settings.FirstOrDefault(setting => setting.Name == name)?.Value))]));
    }

    private static XElement? Text(string? text) => string.IsNullOrEmpty(text) ? null : Table.TextCell(Name(text));

    private static XElement Hash(string? hash) => Table.TextCell(hash is null ? "unknown" : Tag("code", hash));
}
