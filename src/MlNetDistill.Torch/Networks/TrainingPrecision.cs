namespace MlNetDistill.Networks;

/// <summary>The floating-point type in which the layers of a network compute while it is trained.</summary>
public enum TrainingPrecision
{
    /// <summary>32-bit floats throughout.</summary>
    Float32,

    /// <summary>
    /// Mixed precision, as with PyTorch's <c>autocast</c> to <c>bfloat16</c>: convolutions and linear layers round their inputs and weights to 16-bit floats with the range of
    /// 32-bit ones (so there is no loss scaling), forward and backward, and maps between layers are kept in them. Weights, gradients of weights and the optimiser's state
    /// are 32-bit floats; so are the sums and statistics of batch normalization and global pooling, and logits, embeddings and stage features as losses read them.
    /// </summary>
    BFloat16,
}
