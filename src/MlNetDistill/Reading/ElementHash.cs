namespace MlNetDistill.Reading;

/// <summary>
/// Hashes a row of floats by its elements other than 0 and their places, so that a row has the same hash whether its zeros are written out or not. The order in which
/// elements are added makes no difference. It finds equal rows among others in one process, and is no protection against forged ones.
/// </summary>
internal struct ElementHash
{
    private ulong _sum;

    /// <summary>The hash of the elements added so far.</summary>
    public readonly ulong Value => Mix(_sum);

    /// <summary>Adds elements.</summary>
    /// <param name="columns">Their places.</param>
    /// <param name="values">The elements; zeros count as little as elements that are not given.</param>
    public void Add(ReadOnlySpan<int> columns, ReadOnlySpan<float> values)
    {
        for (var i = 0; i < columns.Length; i++)
            Add(columns[i], values[i]);
    }

    /// <summary>Adds all elements of a row.</summary>
    public void Add(ReadOnlySpan<float> row)
    {
        for (var column = 0; column < row.Length; column++)
            Add(column, row[column]);
    }

    private void Add(int column, float value)
    {
        // Minus zero is stored like any other element.
        var bits = BitConverter.SingleToUInt32Bits(value);
        if (bits != 0)
            _sum += Mix(((ulong)(uint)column << 32) | bits);
    }

    // The finaliser of splitmix64 (Steele et al. 2014).
    private static ulong Mix(ulong value)
    {
        value += 0x9e3779b97f4a7c15;
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }
}
