using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using TorchSharp;
using static System.FormattableString;

namespace MlNetDistill.Benchmarks;

/// <summary>What rows in a file cost against rows in memory: rows of a second in each epoch, and the most memory of the process.</summary>
internal static class RowsCost
{
    private const int Classes = 10;
    private static readonly MLContext Context = new(seed: 1);

    /// <summary>Trains on generated rows.</summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="isImage">Whether they are images, 3×32×32 bytes, for a ResNet-8; otherwise vectors of floats for a perceptron of 64 units.</param>
    /// <param name="length">Length of the vectors.</param>
    /// <param name="limit">Bytes of features in memory; a negative number for no limit.</param>
    /// <param name="epochs">Passes over the rows.</param>
    /// <param name="threads">Threads of a tensor operation.</param>
    public static void Run(long rows, bool isImage, int length, long limit, int epochs, int threads)
    {
        torch.set_num_threads(threads);
        var width = isImage ? 3 * 32 * 32 : length;
        var data = isImage ? View<byte>(rows, width, NumberDataViewType.Byte, value => value) : View<float>(rows, width, NumberDataViewType.Single, value => value / 256f);
        var (before, clock) = (PeakBytes(), Stopwatch.StartNew());
        Context.MulticlassClassification.Trainers.Distill(new DistillationOptions
        {
            Student = isImage ? NetworkSpec.ResNet(8, 8, 8, 16, 32) : NetworkSpec.Mlp(64),
            Method = DistillationMethod.LabelsOnly(),
            ImageShape = isImage ? Core.InputShape.Image(3, 32, 32) : null,
            Epochs = epochs,
            Seed = 1,
            Device = TrainingDevice.Cpu,
            RowStorage = new RowStorageOptions { MemoryLimit = limit < 0 ? long.MaxValue : limit },
            Progress = new Printer(),
        }).Fit(data);
        Console.WriteLine(Invariant($"{rows * width * (isImage ? 1 : sizeof(float)):N0} bytes of features; at most {PeakBytes():N0} bytes in memory, {before:N0} before the fit; {clock.Elapsed.TotalSeconds:0.0} s"));
    }

    private static IDataView View<T>(long rows, int width, PrimitiveDataViewType type, Func<byte, T> convert)
        where T : unmanaged
    {
        var schema = SchemaDefinition.Create(typeof(Row<T>));
        schema[nameof(Row<T>.Features)].ColumnType = new VectorDataViewType(type, width);
        schema[nameof(Row<T>.Label)].ColumnType = new KeyDataViewType(typeof(uint), Classes);
        return Context.Data.LoadFromEnumerable(Draw(rows, width, convert), schema);
    }

    /// <summary>Rows sorted by class, whose values are noise but for one of ten, which tells the class.</summary>
    private static IEnumerable<Row<T>> Draw<T>(long rows, int width, Func<byte, T> convert)
    {
        var (bytes, row) = (new byte[width], new Row<T> { Features = new T[width] });
        for (long i = 0; i < rows; i++)
        {
            row.Label = (uint)(i * Classes / rows);
            new Random((int)(i % int.MaxValue)).NextBytes(bytes);
            for (var j = (int)row.Label; j < width; j += Classes)
                bytes[j] = byte.MaxValue;
            for (var j = 0; j < width; j++)
                row.Features[j] = convert(bytes[j]);
            yield return row;
        }
    }

    private static long PeakBytes() => OperatingSystem.IsLinux()
        ? 1024 * long.Parse(
            File.ReadLines("/proc/self/status").Single(line => line.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture)
        : Environment.WorkingSet;

    private sealed class Printer : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) =>
            Console.WriteLine(Invariant($"epoch {value.Epoch}: {value.RowsPerSecond:N0} rows a second, {string.Join(", ", value.Losses.Select(loss => Invariant($"{loss.Key} {loss.Value:0.0000}")))}, {value.Elapsed.TotalSeconds:0.0} s in all"));
    }

    private sealed class Row<T>
    {
        public uint Label { get; set; }

        public T[] Features { get; set; } = [];
    }
}
