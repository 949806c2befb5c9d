namespace MlNetDistill.Networks;

/// <summary>The smallest and the largest value of a tensor, and the 256 values that bytes have in it.</summary>
/// <param name="Smallest">The smallest value, at most 0.</param>
/// <param name="Largest">The largest value, at least 0.</param>
internal readonly record struct ActivationRange(float Smallest, float Largest)
{
    private const int Steps = byte.MaxValue;

    /// <summary>The distance of two neighbouring values.</summary>
    public float Scale => Largest > Smallest ? (float)(((double)Largest - Smallest) / Steps) : 1;

    /// <summary>The byte that is 0. Padding and rectifiers need a value that is exactly 0.</summary>
    public byte ZeroPoint => (byte)Math.Clamp(Math.Round(-Smallest / (double)Scale), 0, Steps);

    /// <summary>The range that has these values too, of which those that are not finite do not count.</summary>
    public ActivationRange Include(ReadOnlySpan<float> values)
    {
        var (smallest, largest) = (Smallest, Largest);
        foreach (var value in values)
        {
            if (!float.IsFinite(value))
                continue;
            smallest = Math.Min(smallest, value);
            largest = Math.Max(largest, value);
        }

        return new(smallest, largest);
    }
}
