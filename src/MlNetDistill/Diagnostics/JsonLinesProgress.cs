using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using MlNetDistill.Training;

namespace MlNetDistill.Diagnostics;

/// <summary>
/// Writes each report as a line of JSON (UTF-8) to the end of a file: the time, then every value of <see cref="TrainingProgress"/>. A line is whole in the file
/// before the training goes on.
/// </summary>
/// <remarks>
/// <para>One such line, broken here:</para>
/// <code>
/// {"time":"2026-03-01T12:00:00.0000000+00:00","stage":"KD","epoch":1,"epochs":30,"losses":{"crossEntropy":1.25,"kd":0.5,"total":0.575},"learningRate":0.001,
///  "validation":{"measure":"accuracy","quality":0.875,"loss":0.4},"rowsPerSecond":25000,"timeLeft":"00:00:29","elapsed":"00:00:01"}
/// </code>
/// <para><c>validation</c> is <c>null</c> where nothing was held out. Numbers that are not finite are texts: <c>"NaN"</c>, <c>"Infinity"</c>. To read them:</para>
/// <code>
/// var history = File.ReadLines("progress.jsonl").Select(line => JsonSerializer.Deserialize&lt;TrainingProgress&gt;(line, JsonSerializerOptions.Web)!);
/// </code>
/// </remarks>
public sealed class JsonLinesProgress : ProgressSink, IDisposable
{
    // Names of stages hold × and arrows; nothing here is put into a page.
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly LastingFile _file;

    /// <summary>Opens the file, and makes it where it is not there.</summary>
    /// <param name="path">The file. Lines are added to those that are there.</param>
    /// <param name="onError">Told, on the thread that trains, of each report that could not be written; what it throws is logged, and the training goes on.</param>
    /// <exception cref="IOException">The file cannot be opened for writing.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public JsonLinesProgress(string path, Action<Exception>? onError = null)
        : base(onError)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var cutShort = EndsWithinALine(path);
        _file = new LastingFile(path, FileMode.OpenOrCreate);
        if (cutShort)
            _file.Append("\n"u8);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    private protected override void Write(TrainingProgress progress)
    {
        _line.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_line, Plain))
            Write(json, progress);
        _line.Write("\n"u8);
        _file.Append(_line.WrittenSpan);
    }

    /// <summary>A process that ended while it wrote, or a full disk, leaves the beginning of a line, which the next must not go on.</summary>
    private static bool EndsWithinALine(string path)
    {
        if (!File.Exists(path))
            return false;
        using var there = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (there.Length == 0)
            return false;
        there.Position = there.Length - 1;
        return there.ReadByte() != '\n';
    }

    private static void Write(Utf8JsonWriter json, TrainingProgress progress)
    {
        json.WriteStartObject();
        json.WriteString("time", DateTimeOffset.UtcNow.ToString("O"));
        json.WriteString("stage", progress.Stage);
        json.WriteNumber("epoch", progress.Epoch);
        json.WriteNumber("epochs", progress.Epochs);
        json.WriteStartObject("losses");
        foreach (var (name, loss) in progress.Losses)
            Number(name, loss);
        json.WriteEndObject();
        Number("learningRate", progress.LearningRate);
        if (progress.Validation is { } validation)
        {
            json.WriteStartObject("validation");
            json.WriteString("measure", validation.Measure);
            Number("quality", validation.Quality);
            Number("loss", validation.Loss);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNull("validation");
        }

        Number("rowsPerSecond", progress.RowsPerSecond);
        json.WriteString("timeLeft", progress.TimeLeft.ToString("c"));
        json.WriteString("elapsed", progress.Elapsed.ToString("c"));
        json.WriteEndObject();

        void Number(string name, double number)
        {
            if (double.IsFinite(number))
                json.WriteNumber(name, number);
            else
                json.WriteString(name, number.ToString(CultureInfo.InvariantCulture));
        }
    }
}
