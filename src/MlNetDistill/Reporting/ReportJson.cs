using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>Writes a report's numbers in the format that <see cref="DistillationReport.ToJson"/> describes.</summary>
internal static class ReportJson
{
    private const int Format = 1;

    /// <summary>The most cells of a matrix. The matrix of 1,000 classes has up to a million, of which the small ones are noise.</summary>
    public const int MaximumCells = 10_000;

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.Create(UnicodeRanges.All),
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new Seconds(), new JsonStringEnumConverter<StudentPrecision>(), new MostFrequentCells() },
    };

    public static string Serialize(DistillationReport report) => JsonSerializer.Serialize(
        new
        {
            Format,
            report.Title,
            report.Description,
            report.Created,
            report.Verdict,
            report.Acceptance,
            Models = new { report.Teacher, report.Student, report.Alone },
            Metrics = new
            {
                Test = report.Metrics,
                Training = report.TrainingMetrics,
                Alone = report.AloneMetrics,
                OverAlone = new { Accuracy = report.AccuracyOverAlone, Agreement = report.AgreementOverAlone },
            },
            report.Precisions,
            report.Knowledge,
            report.Data,
            report.TrainingOverlap,
            report.Versions,
        },
        Options) + "\n";

    /// <summary>Another object in the same form.</summary>
    public static string Serialize(object value) => JsonSerializer.Serialize(value, Options) + "\n";

    private sealed class MostFrequentCells : JsonConverter<AgreementMatrix>
    {
        public override AgreementMatrix Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("A report's matrix is written, not read.");

        public override void Write(Utf8JsonWriter writer, AgreementMatrix value, JsonSerializerOptions options)
        {
            IEnumerable<AgreementCell> cells = value;
            // The sort is stable: of equally frequent cells the first are written.
            if (value.CellCount > MaximumCells)
                cells = value.OrderByDescending(cell => cell.Rows).Take(MaximumCells).OrderBy(cell => cell.Teacher).ThenBy(cell => cell.Student);
            JsonSerializer.Serialize(writer, cells, options);
        }
    }

    private sealed class Seconds : JsonConverter<TimeSpan>
    {
        public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => TimeSpan.FromSeconds(reader.GetDouble());

        public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => writer.WriteNumberValue(value.TotalSeconds);
    }
}
