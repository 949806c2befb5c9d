using System.Globalization;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>Converts the rows of a training set to the model's input: cast, scale, standardize, arrange. The constructor throws if that is impossible.</summary>
internal sealed class InputAdapter : IDisposable
{
    private readonly InputShape _shape;
    private readonly bool _isByte;
    private readonly ModelInput _model;
    private readonly InputArrangement _arrangement;
    private readonly float _scale;
    private readonly Tensor? _mean;
    private readonly Tensor? _deviation;

    /// <param name="shape">Shape of a row of the training set.</param>
    /// <param name="isByte">Whether its values are bytes.</param>
    /// <param name="input">The user's settings of the model's input, already validated.</param>
    /// <param name="model">The input that the model declares.</param>
    /// <param name="device">The device on which the model runs.</param>
    /// <exception cref="InvalidOperationException">Rows, settings and model do not match; the message says what to set.</exception>
    public InputAdapter(InputShape shape, bool isByte, TeacherInput input, ModelInput model, Device device)
    {
        (_shape, _isByte, _model) = (shape, isByte, model);
        _arrangement = InputArrangement.Resolve(shape, input, model);
        _scale = GetScale(input);
        if (input.Standardization is { } statistics)
        {
            using var scope = NewDisposeScope();
            var dimensions = GetConstantDimensions(statistics);
            _mean = tensor(statistics.Mean.ToArray(), device: CPU).reshape(dimensions).to(device).DetachFromDisposeScope();
            _deviation = tensor(statistics.Deviation.ToArray(), device: CPU).reshape(dimensions).to(device).DetachFromDisposeScope();
        }

        Description = Describe(input);
    }

    /// <summary>Everything that the preparation depends on, as text with a stable form.</summary>
    public string Description { get; }

    /// <summary>Converts B×(shape of a row) to B×(input of the model), contiguous and of its type, in the current dispose scope.</summary>
    /// <param name="rows">Rows on the model's device: bytes or 32-bit floats. Rows of bytes that were mixed are floats.</param>
    public Tensor Prepare(Tensor rows)
    {
        if (!rows.shape.AsSpan(1).SequenceEqual(_shape.Dimensions))
            throw new ArgumentException($"Rows must be {_shape}; they are {string.Join('×', rows.shape.Skip(1))}.", nameof(rows));
        using var scope = NewDisposeScope();
        var values = _model.Type == ScalarType.Byte && rows.is_floating_point() ? rows.round() : rows.to(_model.Type == ScalarType.Byte ? uint8 : float32);
        if (_scale != 1)
            values = values.MultiplyBy(_scale);
        if (_mean is not null)
            values = values.reshape([rows.shape[0], .. _arrangement.RowDimensions]).sub(_mean).div(_deviation!);
        return _arrangement.Apply(values).to(_model.Type).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Two trial rows: zeros, and small values that differ.</summary>
    public Tensor TrialRows()
    {
        using var scope = NewDisposeScope();
        // Floats stay below 1, because a model may use them as indices into a table.
        var ramp = tensor(Enumerable.Range(0, _shape.Length).Select(i => _isByte ? i * 37 % 251 : i * 37 % 251 / 256f).ToArray(), device: CPU);
        var rows = stack([zeros_like(ramp), ramp]).reshape([2, .. _shape.Dimensions]);
        return rows.to(_isByte ? uint8 : float32).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _mean?.Dispose();
        _deviation?.Dispose();
    }

    private float GetScale(TeacherInput input)
    {
        if (_model.Type == ScalarType.Byte)
        {
            if (!_isByte)
                throw _model.CreateError(_shape, "it takes bytes, but the column contains Single. Set TeacherInput.ColumnName to a column of Byte.");
            if (input.Scale is not null || input.Standardization is not null)
                throw _model.CreateError(_shape, "it takes bytes, which are neither scaled nor standardised. Leave out TeacherInput.Scale and TeacherInput.Standardization.");
            return 1;
        }

        if (_isByte && input.Scale is null)
        {
            throw _model.CreateError(_shape, "the column contains bytes, and a model file does not state the range it was trained on. Set TeacherInput.Scale to 1 for " +
                "0..255, or to 1 / 255f for 0..1.");
        }

        return input.Scale ?? 1;
    }

    /// <summary>The shape in which the constants are broadcast over a row.</summary>
    private long[] GetConstantDimensions(InputStatistics statistics)
    {
        var (read, count) = (_arrangement.RowDimensions, statistics.Mean.Count);
        var (length, channels) = (_shape.Length, read.Length == 3 ? read[0] : 1);
        return count == 1 ? [1]
            : read.Length == 3 && count == channels ? [count, 1, 1]
            : count == length ? read
            : throw _model.CreateError(_shape, $"TeacherInput.Standardization has {count} values; for these rows it must have 1, " +
                $"{(channels > 1 ? $"{channels} (one per channel)" : "")}{(channels > 1 ? " or " : "or ")}{length} (one per value).");
    }

    private string Describe(TeacherInput input)
    {
        static string Numbers(IEnumerable<float> values) => string.Join(',', values.Select(v => v.ToString("R", CultureInfo.InvariantCulture)));
        var (read, fed) = (string.Join('x', _arrangement.RowDimensions), string.Join('x', _arrangement.ModelDimensions));
        return $"{(_isByte ? "bytes" : "floats")} {read} -> {ModelInput.TypeName(_model.Type)} {fed}{(_arrangement.ChannelsLast ? " channels last" : "")}; " +
            $"scale {Numbers([_scale])}; mean {Numbers(input.Standardization?.Mean ?? [])}; deviation {Numbers(input.Standardization?.Deviation ?? [])}";
    }
}
