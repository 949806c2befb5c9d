using System.Globalization;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>Turns the rows of a training set into what a model reads: cast, scaled, standardised, arranged. What cannot be is found at construction.</summary>
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
    /// <param name="input">What the user says of the model's input; without faults of its own.</param>
    /// <param name="model">What the model says of it.</param>
    /// <param name="device">Where the model runs.</param>
    /// <exception cref="InvalidOperationException">They do not fit together; the message says what to set.</exception>
    public InputAdapter(InputShape shape, bool isByte, TeacherInput input, ModelInput model, Device device)
    {
        (_shape, _isByte, _model) = (shape, isByte, model);
        _arrangement = InputArrangement.Resolve(shape, input, model);
        _scale = CheckedScale(input);
        if (input.Standardization is { } statistics)
        {
            using var scope = NewDisposeScope();
            var dimensions = CheckedDimensions(statistics);
            _mean = tensor(statistics.Mean.ToArray(), device: CPU).reshape(dimensions).to(device).DetachFromDisposeScope();
            _deviation = tensor(statistics.Deviation.ToArray(), device: CPU).reshape(dimensions).to(device).DetachFromDisposeScope();
        }

        Description = Describe(input);
    }

    /// <summary>All that the preparation depends on, in a form that does not change.</summary>
    public string Description { get; }

    /// <summary>B×(shape of a row) to B×(what the model reads), contiguous and of its type, in the current dispose scope.</summary>
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
            values = values.reshape([rows.shape[0], .. _arrangement.Read]).sub(_mean).div(_deviation!);
        return _arrangement.Apply(values).to(_model.Type).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Two rows as the training set might have them: zeros, and small values that differ.</summary>
    public Tensor TrialRows()
    {
        using var scope = NewDisposeScope();
        // Floats stay below 1: a model may look them up in a table as whole numbers.
        var ramp = tensor(Enumerable.Range(0, _shape.Length).Select(i => _isByte ? i * 37 % 251 : i * 37 % 251 / 256f).ToArray(), device: CPU);
        var rows = stack([zeros_like(ramp), ramp]).reshape([2, .. _shape.Dimensions]);
        return rows.to(_isByte ? uint8 : float32).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _mean?.Dispose();
        _deviation?.Dispose();
    }

    private float CheckedScale(TeacherInput input)
    {
        if (_model.Type == ScalarType.Byte)
        {
            if (!_isByte)
                throw _model.CreateError(_shape, "it takes bytes, and the column holds Single. Give it a column of Byte in TeacherInput.ColumnName.");
            if (input.Scale is not null || input.Standardization is not null)
                throw _model.CreateError(_shape, "bytes go into it as they are. Leave TeacherInput.Scale and TeacherInput.Standardization out.");
            return 1;
        }

        if (_isByte && input.Scale is null)
        {
            throw _model.CreateError(_shape, "the column holds bytes, and nothing in a model says in which scale it was trained. Set TeacherInput.Scale to 1 for " +
                "values of 0..255, to 1 / 255f for 0..1.");
        }

        return input.Scale ?? 1;
    }

    /// <summary>The shape in which the constants meet a row.</summary>
    private long[] CheckedDimensions(InputStatistics statistics)
    {
        var (read, count) = (_arrangement.Read, statistics.Mean.Count);
        var (length, channels) = (_shape.Length, read.Length == 3 ? read[0] : 1);
        return count == 1 ? [1]
            : read.Length == 3 && count == channels ? [count, 1, 1]
            : count == length ? read
            : throw _model.CreateError(_shape, $"TeacherInput.Standardization has {count} values; such rows take 1, " +
                $"{(channels > 1 ? $"{channels} (one a channel)" : "")}{(channels > 1 ? " or " : "or ")}{length} (one a value).");
    }

    private string Describe(TeacherInput input)
    {
        static string Numbers(IEnumerable<float> values) => string.Join(',', values.Select(v => v.ToString("R", CultureInfo.InvariantCulture)));
        var (read, fed) = (string.Join('x', _arrangement.Read), string.Join('x', _arrangement.Fed));
        return $"{(_isByte ? "bytes" : "floats")} {read} -> {ModelInput.TypeName(_model.Type)} {fed}{(_arrangement.ChannelsLast ? " channels last" : "")}; " +
            $"scale {Numbers([_scale])}; mean {Numbers(input.Standardization?.Mean ?? [])}; deviation {Numbers(input.Standardization?.Deviation ?? [])}";
    }
}
