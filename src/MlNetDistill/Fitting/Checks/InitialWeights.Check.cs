using MlNetDistill.Alignment;
using MlNetDistill.Networks;

namespace MlNetDistill;

/// <content>Checks that the weights match the data of a fit.</content>
public sealed partial record InitialWeights
{
    /// <exception cref="InvalidOperationException">The data are not of the kind that the network was trained on.</exception>
    internal void Check(NetworkInput input, ClassLabels classes)
    {
        if (classes.Count != _network.Classes)
            throw new InvalidOperationException($"InitialWeights are those of a network of {_network.Classes} classes; the label column has {classes.Count}.");
        if (classes.Names is { } names && _network.ClassNames is { } given && !names.SequenceEqual(given))
        {
            throw new InvalidOperationException(
                $"InitialWeights are those of a network whose classes are {ClassAlignment.Listed(given)}, in this order; those of the label column are " +
                $"{ClassAlignment.Listed(names)}. Make both label columns by the same fitted MapValueToKey.");
        }

        if ((input.Shape, input.IsByte) != (_network.Input.Shape, _network.Input.IsByte))
        {
            throw new InvalidOperationException(
                $"InitialWeights are those of a network that reads {DescribeInput(_network.Input)}; the feature column has {DescribeInput(input)}.");
        }

        static string DescribeInput(NetworkInput input) => $"{input.Shape} of {(input.IsByte ? "Byte" : "Single")}";
    }
}
