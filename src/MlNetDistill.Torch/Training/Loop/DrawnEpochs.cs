using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Draws epochs of a stage again, so that a sampler whose epochs depend on each other is where it was.</summary>
internal static class DrawnEpochs
{
    /// <param name="sampler">The sampler, which was prepared.</param>
    /// <param name="training">Positions of the rows trained on.</param>
    /// <param name="shuffling">Draws the order of rows, in its state before the first epoch of the stage.</param>
    /// <param name="epochs">Number of epochs.</param>
    public static void Draw(Sampler sampler, Tensor training, Generator shuffling, int epochs)
    {
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            // In no dispose scope, as in training: a sampler whose batches go on in the next epoch keeps what it draws them from.
            foreach (var _ in sampler.Epoch(training, shuffling))
            {
                // Only drawn.
            }
        }
    }
}
