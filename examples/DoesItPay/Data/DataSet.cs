using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using MlNetDistill.Core;
using MlNetDistill.Networks;

namespace DoesItPay.Data;

/// <summary>Training rows, and test rows on which finished students are judged and nothing is chosen.</summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="Title">Its name in the table.</param>
/// <param name="Train">The training rows.</param>
/// <param name="Test">The test rows.</param>
internal sealed record DataSet(string Name, string Title, Record[] Train, Record[] Test)
{
    /// <summary>The shape of the images; null for tables.</summary>
    public InputShape? Image { get; init; }

    /// <summary>The sizes of students where the command line has none: units of the hidden layer, or channels of the first part of a residual network.</summary>
    public IReadOnlyList<int> Sizes => Image is null ? [32, 128] : [8, 16];

    /// <summary>Number of text columns.</summary>
    public int Texts => Train[0].Texts.Length;

    /// <summary>The classes of the training rows in the order of their keys.</summary>
    public IReadOnlyList<string> Classes { get; } = [.. Train.Select(row => row.Label).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>The network of the teacher that is a network.</summary>
    public NetworkSpec TeacherNetwork => Image is null ? NetworkSpec.Mlp(512, 512) : NetworkSpec.ResNet(14, 16, 16, 32, 64);

    /// <summary>A student.</summary>
    public NetworkSpec Student(int size) => Image is null ? NetworkSpec.Mlp(size) : NetworkSpec.ResNet(8, size, size, 2 * size, 4 * size);

    /// <summary>A hash of all rows, so that a result is not taken for that of other rows.</summary>
    public string Hash()
    {
        var hash = new XxHash64();
        foreach (var row in Train.Concat(Test))
        {
            hash.Append(Encoding.UTF8.GetBytes(string.Join('\n', [row.Label, .. row.Texts])));
            hash.Append(MemoryMarshal.AsBytes<float>(row.Numbers));
        }

        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }
}
