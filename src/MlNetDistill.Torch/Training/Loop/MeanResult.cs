namespace MlNetDistill.Training;

/// <summary>The result of parts of the held-out rows together.</summary>
internal sealed class MeanResult
{
    private ValidationResult? _only;
    private string? _measure;
    private double _weight;
    private double _quality;
    private double _loss;

    /// <summary>The result of all parts, each with its weight.</summary>
    public ValidationResult? Result => _only ?? (_measure is { } measure ? new(measure, _quality / _weight, _loss / _weight) : null);

    /// <summary>Adds the result of a part.</summary>
    /// <param name="part">Means over its rows.</param>
    /// <param name="weight">What its rows count together.</param>
    public void Add(ValidationResult part, double weight)
    {
        // Of a single part the result is its own, to the last bit.
        _only = _measure is null ? part : null;
        _measure = part.Measure;
        // Of rows that do not count there is no mean.
        if (weight == 0)
            return;
        _weight += weight;
        _quality += part.Quality * weight;
        _loss += part.Loss * weight;
    }
}
