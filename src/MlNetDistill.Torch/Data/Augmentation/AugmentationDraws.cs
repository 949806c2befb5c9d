using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Two independent random words of 32 bits for each row or element, as 64-bit integers from 0.</summary>
internal readonly record struct RandomWords(Tensor High, Tensor Low);

/// <summary>
/// Random numbers for rows that depend only on the seed, the row, the view and the purpose: hashes of these, computed on the rows' device. The draws of a
/// generator would depend on what was drawn before, and so on the batch of a row.
/// </summary>
/// <remarks>
/// The hash is splitmix64 (Steele, Lea and Flood 2014): a counter times an odd constant, then a finaliser in which every bit of the input moves
/// every bit of the output. Integer arithmetic is the same on every device.
/// </remarks>
internal sealed class AugmentationDraws : IDisposable
{
    private const ulong Gamma = 0x9e3779b97f4a7c15UL;
    private const ulong First = 0xbf58476d1ce4e5b9UL;
    private const ulong Second = 0x94d049bb133111ebUL;
    private const double WordsCount = 1L << 32;
    private readonly ulong _seed;
    private readonly Dictionary<int, (Tensor Bits, Tensor Mask)> _shifts;

    public AugmentationDraws(int seed, Device device)
    {
        _seed = (uint)seed;
        using var scope = NewDisposeScope();
        _shifts = new[] { 27, 30, 31, 32 }.ToDictionary(bits => bits, bits => (Kept(bits), Kept((long)(ulong.MaxValue >> bits))));

        Tensor Kept(long value) => tensor(value, int64, device).DetachFromDisposeScope();
    }

    /// <summary>Words for B rows, different ones for each purpose.</summary>
    public RandomWords ForRows(Tensor positions, int view, string purpose)
    {
        using var scope = NewDisposeScope();
        return Split(Mix(Counter(positions, view, purpose)));
    }

    /// <summary>Words for each of <paramref name="length"/> elements of B rows, B×length.</summary>
    public RandomWords ForElements(Tensor positions, int view, string purpose, long length)
    {
        using var scope = NewDisposeScope();
        var elements = TensorArithmetic.Range(length, positions.device).MultiplyByInteger(unchecked((long)Gamma));
        return Split(Mix(Mix(Counter(positions, view, purpose)).unsqueeze(1).Add(elements.unsqueeze(0))));
    }

    /// <summary>Converts words to integers from 0 to <paramref name="count"/> - 1, equally likely to within 2⁻³²; exact for counts up to 2³¹.</summary>
    public Tensor ToIntegers(Tensor words, long count) => words.MultiplyByInteger(count).bitwise_right_shift(_shifts[32].Bits);

    /// <summary>Converts words to booleans, true with a probability in [0, 1].</summary>
    public static Tensor ToBooleans(Tensor words, double probability) => words.IsLessThan((long)Math.Round(probability * WordsCount));

    /// <summary>Converts words to numbers in [0, 1), 64-bit floats, exactly.</summary>
    public static Tensor ToUniform(Tensor words) => words.to(float64).MultiplyBy(1 / WordsCount);

    /// <summary>Converts words to normal numbers of mean 0 and deviation 1, 64-bit floats: √(-2 ln u)·cos 2πv (Box and Muller 1958), u in (0, 1].</summary>
    public static Tensor ToNormal(RandomWords words)
    {
        using var scope = NewDisposeScope();
        var radius = ToUniform(words.High.AddInteger(1)).log().MultiplyBy(-2).sqrt();
        return radius.mul(ToUniform(words.Low).MultiplyBy(2 * Math.PI).cos()).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var (bits, mask) in _shifts.Values)
        {
            bits.Dispose();
            mask.Dispose();
        }
    }

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * First;
        value = (value ^ (value >> 27)) * Second;
        return value ^ (value >> 31);
    }

    private Tensor Counter(Tensor positions, int view, string purpose)
    {
        // FNV-1a over the purpose, as in Seeds.
        var hash = 14695981039346656037UL ^ _seed;
        foreach (var c in purpose)
            hash = (hash ^ c) * 1099511628211UL;
        var start = Mix(Mix(hash) + ((ulong)view * Gamma));
        return positions.MultiplyByInteger(unchecked((long)Gamma)).AddInteger(unchecked((long)start));
    }

    private Tensor Mix(Tensor value)
    {
        using var scope = NewDisposeScope();
        value = value.bitwise_xor(ShiftRight(value, 30)).MultiplyByInteger(unchecked((long)First));
        value = value.bitwise_xor(ShiftRight(value, 27)).MultiplyByInteger(unchecked((long)Second));
        return value.bitwise_xor(ShiftRight(value, 31)).MoveToOuterDisposeScope();
    }

    // Torch shifts in copies of the sign bit; the mask removes them.
    private Tensor ShiftRight(Tensor value, int bits) => value.bitwise_right_shift(_shifts[bits].Bits).bitwise_and(_shifts[bits].Mask);

    private RandomWords Split(Tensor value) =>
        new(ShiftRight(value, 32).MoveToOuterDisposeScope(), value.bitwise_and(_shifts[32].Mask).MoveToOuterDisposeScope());
}
