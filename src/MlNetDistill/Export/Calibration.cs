using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using MlNetDistill.Networks;
using MlNetDistill.Reading;

namespace MlNetDistill.Export;

/// <summary>The ranges of a network's activations over rows, which <see cref="Int8Form"/> needs.</summary>
internal static class Calibration
{
    private const int BatchSize = 32;

    /// <summary>Runs the network over all rows.</summary>
    /// <param name="network">The network, in eval mode.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="features">Their feature column, a vector of bytes or floats of the network's length.</param>
    /// <exception cref="NotSupportedException">An operator of the network cannot be quantized.</exception>
    /// <exception cref="InvalidOperationException">There are no rows, one cannot be read, or a value is not finite.</exception>
    public static Int8Form Run(Network network, IDataView rows, DataViewSchema.Column features)
    {
        var (model, tensors) = OnnxExport.WriteObserved(network, features.Name);
        using var session = new InferenceSession(model);
        var ranges = tensors.Values.ToDictionary(name => name, _ => default(ActivationRange));
        var count = UnreadableRow.LocateFailure(() => network.Input.IsByte ? Read<byte>() : Read<float>());
        return count > 0 ? new Int8Form(ranges) : throw new InvalidOperationException(
            "There are no calibration rows, so the ranges of the activations are unknown. Give rows that the student was trained on, or others like them.");

        long Read<T>()
            where T : unmanaged
        {
            using var cursor = new ViewColumns(rows, [features], row => $"Row {row} (counted from 0) of the calibration rows cannot be read").Open();
            var get = cursor.GetGetter<VBuffer<T>>(features);
            VBuffer<T> values = default;
            var length = network.Input.Shape.Length;
            var batch = new T[BatchSize * length];
            var (filled, all) = (0, 0L);
            while (cursor.MoveNext())
            {
                get(ref values);
                if (values.Length != length)
                    throw VectorLength.CreateError($"Column '{features.Name}'", length, values.Length, $"row {all} (counted from 0) of the calibration rows", "Correct or leave it out.");
                values.CopyTo(batch.AsSpan(filled * length, length));
                all++;
                if (++filled == BatchSize)
                    Run(batch, ref filled);
            }

            Run(batch.AsSpan(0, filled * length).ToArray(), ref filled);
            return all;
        }

        void Run<T>(T[] batch, ref int filled)
            where T : unmanaged
        {
            if (filled == 0)
                return;
            using var input = OrtValue.CreateTensorValueFromMemory(batch, [filled, network.Input.Shape.Length]);
            filled = 0;
            using var options = new RunOptions();
            using var results = session.Run(options, [features.Name], [input], [.. tensors.Keys]);
            foreach (var (name, result) in tensors.Values.Zip(results))
                ranges[name] = ranges[name].Include(result.GetTensorDataAsSpan<float>());
        }
    }
}
