using MlNetDistill.Core;
using MlNetDistill.Fitting;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Searching;

/// <summary>The candidates of a search, as options of their own.</summary>
/// <param name="search">The options of the search.</param>
/// <param name="own">The trainer's method.</param>
internal sealed class SearchCandidates(SearchOptions search, DistillationMethod own) : ITrialSpace
{
    // From set to set the best rate of a student alone differed by a factor of 25 and more, by held-out rows.
    private static readonly double[] RateFactors = [1, 1.0 / 5, 5];
    private static readonly int[] WidthDivisors = [1, 2, 4, 8];

    /// <summary>The trainer's method.</summary>
    public DistillationMethod Own => own;

    /// <summary>The distilled candidates, in the order in which they are tried.</summary>
    public IReadOnlyList<DistillationOptions> Distilled { get; private set; } = [];

    public IReadOnlyList<TransferRows?> GetTransferRows(DistillationOptions basis) => search.Space.TransferRows ?? [null, basis.TransferRows];

    public IReadOnlyList<TransferRows> GetOptionalTransferRows(DistillationOptions basis, int classes)
    {
        TransferRows[] made = [TransferRows.Munge(copies: 2), TransferRows.Munge()];
        return search.Space.TransferRows is null && basis.TransferRows is null && Methods(basis, classes, made).Where(AsksTeacher).All(method => (basis with { Method = method, TransferRows = made[0] }).IsValid)
            ? made
            : [];
    }

    /// <summary>
    /// Draws the distilled candidates, at most as many as the search's trials. The first has the trainer's own settings, as far as they are in the space; in the others every
    /// value of a list occurs about equally often.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The settings of a candidate do not fit together; the message names every fault.</exception>
    public IReadOnlyList<DistillationOptions> Draw(DistillationOptions basis, int classes, IReadOnlyList<TransferRows?> transferRows)
    {
        var (methods, rates, students) = (OwnFirst(Methods(basis, classes, transferRows), own), Rates(basis), OwnFirst(Students(basis), basis.Student));
        var rows = OwnFirst(transferRows, basis.TransferRows);
        using var generator = new Seeds(basis.Seed!.Value).CreateGenerator("search candidates");
        Distilled =
        [
            .. Combinations([students.Count, methods.Count, rates.Count, rows.Count], generator).Select(
                at => (With(basis, methods[at[1]], rates[at[2]], students[at[0]]) with { TransferRows = rows[at[3]] }).WithoutUnusedTeacher()).Distinct(),
        ];
        foreach (var candidate in Distilled)
            candidate.Check();
        return Distilled;
    }

    /// <summary>A student on labels alone at every learning rate, the trainer's own first.</summary>
    public IReadOnlyList<DistillationOptions> Alone(DistillationOptions basis, NetworkSpec student) =>
        [.. Rates(basis).Select(rate => With(basis, DistillationMethod.LabelsOnly(), rate, student).WithoutUnusedTeacher())];

    /// <summary>Indices into lists of these sizes: all combinations, or a sample of them that begins with the first of each.</summary>
    private IReadOnlyList<int[]> Combinations(int[] sizes, Generator generator)
    {
        if (sizes.Aggregate(1.0, (product, size) => product * size) <= search.Trials)
            return [.. sizes.Aggregate<int, IEnumerable<int[]>>([[]], (heads, size) => heads.SelectMany(head => Enumerable.Range(0, size).Select(index => (int[])[.. head, index])))];
        Deck[] decks = [.. sizes.Select(size => new Deck(size, generator))];
        List<int[]> drawn = [new int[sizes.Length]];
        foreach (var deck in decks)
            deck.TakeOut(0);
        while (drawn.Count < search.Trials)
        {
            int[] next = [.. decks.Select(deck => deck.Draw())];
            if (!drawn.Exists(next.SequenceEqual))
                drawn.Add(next);
        }

        return drawn;
    }

    private IReadOnlyList<double> Rates(DistillationOptions basis) => OwnFirst(
        search.Space.LearningRates ?? [.. RateFactors.Select(factor => basis.Optimizer.LearningRate * factor)], basis.Optimizer.LearningRate);

    /// <summary>The methods, with the settings for this teacher where they have none.</summary>
    private IEnumerable<DistillationMethod> Methods(DistillationOptions basis, int classes, IEnumerable<TransferRows?> transferRows)
    {
        // DIST's relations over a batch cannot be weighted, and one of them has no gradient with two classes.
        var weighs = basis.ExampleWeightColumnName is not null || transferRows.Any(rows => rows?.Parts.Any(part => part.Weight != 1) == true);
        var dist = !weighs && classes > 2 ? new[] { DistillationMethod.Dist() } : [];
        return (search.Space.Methods ?? [own, .. SearchSpace.Kd([1, 2, 4], [0.5, 0.9, 1]), .. dist]).Select(method => method.WithDefaults(basis.KdDefaults));
    }

    private IEnumerable<NetworkSpec> Students(DistillationOptions basis)
    {
        if (search.Space.Students is { } students)
            return students;
        return search.Goal.Keeps is not null && basis.Student is MlpSpec { Hidden.Count: > 0 } mlp
            ? WidthDivisors.Select(divisor => mlp with { Hidden = [.. mlp.Hidden.Select(width => Math.Max(1, width / divisor))] })
            : [basis.Student];
    }

    private static bool AsksTeacher(DistillationMethod method) => method.TeacherNeeds != ModelOutputs.None;

    private static DistillationOptions With(DistillationOptions basis, DistillationMethod method, double rate, NetworkSpec student) =>
        basis with { Method = method, Optimizer = basis.Optimizer with { LearningRate = rate }, Student = student };

    private static IReadOnlyList<T> OwnFirst<T>(IEnumerable<T> values, T own) => [.. values.Distinct().OrderBy(value => Equals(value, own) ? 0 : 1)];

    /// <summary>Draws indices so that each comes once before any comes again.</summary>
    private sealed class Deck(int size, Generator generator)
    {
        private readonly List<int> _cards = [];

        public int Draw()
        {
            if (_cards.Count == 0)
                Shuffle();
            var card = _cards[^1];
            _cards.RemoveAt(_cards.Count - 1);
            return card;
        }

        public void TakeOut(int card)
        {
            Shuffle();
            _cards.Remove(card);
        }

        private void Shuffle()
        {
            using var order = randperm(size, device: CPU, generator: generator);
            _cards.AddRange(order.data<long>().ToArray().Select(index => (int)index));
        }
    }
}
