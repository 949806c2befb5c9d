using System.Globalization;
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
    /// <param name="featureColumn">Their feature column, a vector of bytes or floats of the network's length.</param>
    /// <exception cref="NotSupportedException">An operator of the network cannot be quantized.</exception>
    /// <exception cref="InvalidOperationException">There are no rows, one cannot be read, or the network gives no finite value for any.</exception>
    public static Int8Form Run(Network network, IDataView rows, string featureColumn)
    {
        var features = FindFeatures(network, rows, featureColumn);
        var (model, tensors) = OnnxExport.WriteObserved(network, features.Name);
        using var session = Load(model);
        var ranges = tensors.Values.ToDictionary(name => name, _ => default(ActivationRange));
        var finite = new HashSet<string>();
        var count = UnreadableRow.LocateFailure(() => network.Input.IsByte ? Read<byte>() : Read<float>());
        if (count > 0 && finite.Count < ranges.Count)
        {
            throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture, $"For none of the {count:N0} calibration rows does the network give finite values in all of its layers. Give rows with features as in training."));
        }

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
            {
                var values = result.GetTensorDataAsSpan<float>();
                ranges[name] = ranges[name].Include(values);
                if (!finite.Contains(name) && HasFinite(values))
                    finite.Add(name);
            }
        }
    }

    private static DataViewSchema.Column FindFeatures(Network network, IDataView rows, string name)
    {
        var wanted = $"Vector<{(network.Input.IsByte ? "Byte" : "Single")}, {network.Input.Shape.Length.ToString(CultureInfo.InvariantCulture)}>";
        if (rows.Schema.GetColumnOrNull(name) is not { } column)
            throw new ArgumentException($"The calibration rows must have the student's feature column '{name}', {wanted}; they have {string.Join(", ", rows.Schema.Select(c => c.Name))}.", nameof(rows));
        return column.Type is VectorDataViewType vector && vector.ItemType.RawType == (network.Input.IsByte ? typeof(byte) : typeof(float)) ? column : throw new ArgumentException(
            $"Column '{name}' of the calibration rows must be {wanted}; found {column.Type}. Give the columns that the model reads, as in training.", nameof(rows));
    }

    private static bool HasFinite(ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            if (float.IsFinite(value))
                return true;
        }

        return false;
    }

    private static InferenceSession Load(byte[] model)
    {
        try
        {
            return new InferenceSession(model);
        }
        catch (OnnxRuntimeException e)
        {
            throw new NotSupportedException($"ONNX Runtime cannot give the values between its layers: {e.Message} Use Float16.", e);
        }
    }
}
