using Microsoft.ML;
using MlNetDistill.Core;

namespace MlNetDistill;

/// <summary>
/// Rows without labels that the student is trained on beside the training rows, with what the teacher answers for them: rows made up from the training rows, or
/// unlabelled rows of your own. They are never held out.
/// </summary>
/// <remarks>
/// <para>
/// A student learns a teacher's function only where it sees rows, and a small data set shows few. Rows that are made up near the training rows show it more; this is
/// how ensembles of trees were first compressed (Bucila, Caruana and Niculescu-Mizil, Model Compression, 2006; Fakoor et al., FAST-DAD, 2020).
/// </para>
/// <para>
/// The rows are made on the columns as they were loaded, before the steps that lead to the trainer. The steps are then applied to them, so that teacher and student
/// read what they would read for any other row. Only columns are changed that the student's features or the teacher's inputs are made from. Each number is an
/// attribute, and each element of a vector of numbers; text, keys, Booleans and vectors of these are categories, which are taken whole from one of the rows that a
/// made-up row is made from. Values of other types (images, dates) are those of its first row.
/// </para>
/// <para>
/// A made-up row depends on the seed of the fit, its first row and the number of the copy alone, and on the rows that it is made from.
/// </para>
/// </remarks>
public abstract record TransferRows
{
    private protected TransferRows() { }

    /// <summary>
    /// MUNGE (Bucila et al. 2006, section 3): each row is mixed with its nearest neighbour, attribute by attribute. With the given probability a category becomes the
    /// neighbour's, and a number is drawn from the normal distribution around the neighbour's value with the deviation |difference| / <paramref name="spread"/>.
    /// </summary>
    /// <remarks>
    /// The nearest neighbour is found among at most 20,000 training rows, fewer where that would take minutes, by the squared Euclidean distance of numbers divided by
    /// their deviations, plus 1 for each category that differs and for each number that only one of the two rows has. Rows are changed from the original rows, one of a
    /// pair only, as in AutoGluon; the paper changes both of a pair.
    /// </remarks>
    /// <param name="copies">Made-up rows for each training row, above 0. With 2.5 there are two of every row and a third of half of the rows.</param>
    /// <param name="probability">The probability to change an attribute, in (0, 1].</param>
    /// <param name="spread">What the difference of two numbers is divided by, above 0 (s in the paper).</param>
    public static TransferRows Munge(double copies = 5, double probability = 0.5, double spread = 1) => new MungeRows(copies, probability, spread);

    /// <summary>
    /// Spunge, as AutoGluon's <c>distill</c> has it (revision f34ebb4f6): in each row some attributes are those of random training rows, then some numbers get normal
    /// noise.
    /// </summary>
    /// <remarks>With the default share and fewer than 10 attributes no attribute is replaced, as in AutoGluon, and the rows differ by noise alone.</remarks>
    /// <param name="copies">Made-up rows for each training row, above 0.</param>
    /// <param name="share">Share of the attributes of a row that are replaced, rounded down to a whole number of attributes, in [0, 1].</param>
    /// <param name="noiseProbability">The probability that a number gets noise, in [0, 1].</param>
    /// <param name="noise">The deviation of the noise, in deviations of the attribute over the training rows; at least 0.</param>
    public static TransferRows Spunge(double copies = 5, double share = 0.1, double noiseProbability = 0.1, double noise = 0.1) =>
        new SpungeRows(copies, share, noiseProbability, noise);

    /// <summary>With the given probability each attribute is that of a random training row, drawn for each attribute. Rows differ more from the data than with MUNGE.</summary>
    /// <param name="copies">Made-up rows for each training row, above 0.</param>
    /// <param name="probability">The probability to change an attribute, in (0, 1].</param>
    public static TransferRows MarginalSwap(double copies = 5, double probability = 0.1) => new MarginalSwapRows(copies, probability);

    /// <summary>
    /// A row on the line between a training row and one of its nearest neighbours, at a random place; categories are those of one of the two, the more probable the nearer
    /// it is (as in SMOTE, Chawla et al. 2002, for all classes and without labels). Neighbours are found as for <see cref="Munge"/>.
    /// </summary>
    /// <param name="copies">Made-up rows for each training row, above 0.</param>
    /// <param name="neighbours">Of how many nearest neighbours one is drawn, at least 1 (SMOTE's default is 5).</param>
    public static TransferRows Interpolate(double copies = 5, int neighbours = 5) => new InterpolatedRows(copies, neighbours);

    /// <summary>Unlabelled rows of your own.</summary>
    /// <param name="unlabelled">
    /// The rows with the columns that the training data were loaded with, before the steps that lead to the trainer; other columns, and a label, are not read. They are
    /// read in the same order each time.
    /// </param>
    public static TransferRows From(IDataView unlabelled) => new OwnTransferRows(unlabelled ?? throw new ArgumentNullException(nameof(unlabelled)));

    /// <summary>These rows and others.</summary>
    /// <param name="others">The others.</param>
    /// <returns>Both; each has its own <see cref="Weight"/> and other settings.</returns>
    public TransferRows And(TransferRows others)
    {
        ArgumentNullException.ThrowIfNull(others);
        return new JoinedTransferRows([.. Parts, .. others.Parts]);
    }

    /// <summary>The kinds of rows that these consist of.</summary>
    internal virtual IReadOnlyList<TransferRows> Parts => [this];

    internal abstract IEnumerable<string> Validate();

    /// <summary>
    /// The example weight of such a row, relative to 1 for a training row without weights; above 0.
    /// </summary>
    public double Weight { get; init; } = 1;

    /// <summary>The most rows that are made up, at least 1 (AutoGluon's default). If the copies are more, there are fewer copies. All rows of your own are used.</summary>
    public int MaximumRows { get; init; } = 100_000;

    /// <summary>Loaded columns that are not changed and not compared: a made-up row has those of its first row.</summary>
    public IReadOnlyList<string> FixedColumns { get; init; } = [];

    /// <summary>Loaded columns of numbers that are categories: each of their numbers is taken from one of the rows that a made-up row is made from.</summary>
    public IReadOnlyList<string> CategoricalColumns { get; init; } = [];

    /// <summary>Its kind and settings, in one line if they fit.</summary>
    public sealed override string ToString() => Describe();

    /// <summary>Its kind in a few characters.</summary>
    internal abstract string Short { get; }

    private protected virtual string Describe() => SettingText.Describe(this, includeNull: false);

    private protected IEnumerable<string> WeightFaults() => Faults.Above0($"{nameof(TransferRows)}.{nameof(Weight)}", Weight);
}
