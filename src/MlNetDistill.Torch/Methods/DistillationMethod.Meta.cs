namespace MlNetDistill.Methods;

/// <content>Methods that train the teacher too.</content>
public abstract partial record DistillationMethod
{
    /// <summary>
    /// MetaDistil (Zhou et al., ACL 2022): (1 - alpha) · cross-entropy + alpha · KD, from a copy of the teacher that is trained as well: in each round one step along the
    /// gradient of the student's loss on a quiz, rows that neither trains on, after the student learnt from it. The given teacher stays as it is.
    /// </summary>
    /// <remarks>
    /// The teacher must be a network that this library can copy: one that is trained in the fit (<c>Teacher.Train</c>), or a route's (<c>Route</c>). A round costs several
    /// times a step of KD; docs/methods/metadistil.md has the measurement. The gradient of the quiz loss is exact: the backward pass of the student is differentiated again,
    /// and the teacher needs one forward and one backward pass.
    /// </remarks>
    /// <param name="options">The settings; the defaults if null.</param>
    public static DistillationMethod MetaDistil(MetaDistilOptions? options = null) => new MetaDistilMethod(options ?? new MetaDistilOptions());
}
