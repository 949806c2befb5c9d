using MlNetDistill.Core;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Searching;

/// <summary>The candidates of a search, as options of their own.</summary>
/// <param name="search">The options of the search.</param>
/// <param name="own">The trainer's own method.</param>
internal sealed class SearchCandidates(SearchOptions search, DistillationMethod own)
{
    private static readonly double[] RateFactors = [1, 1.0 / 3, 3];
    private static readonly int[] WidthDivisors = [1, 2, 4, 8];

    /// <summary>The distilled candidates, in the order in which they are tried.</summary>
    public IReadOnlyList<DistillationOptions> Distilled { get; private set; } = [];

    /// <summary>
    /// Draws the distilled candidates, at most as many as the search's trials. The first has the trainer's own settings, as far as they are in the space; in the others every
    /// value of a list occurs about equally often.
    /// </summary>
    /// <param name="basis">The options that all have in common.</param>
    /// <param name="classes">Number of classes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The settings of a candidate do not fit together; the message names every fault.</exception>
    public IReadOnlyList<DistillationOptions> Draw(DistillationOptions basis, int classes)
    {
        var (methods, rates, students) = (OwnFirst(Methods(basis, classes), own), Rates(basis), OwnFirst(Students(basis), basis.Student));
        using var generator = new Seeds(basis.Seed!.Value).CreateGenerator("search candidates");
        Distilled =
        [
            .. Combinations(methods.Count, rates.Count, students.Count, generator).Select(
                at => With(basis, methods[at.Method], rates[at.Rate], students[at.Student])),
        ];
        foreach (var candidate in Distilled)
            candidate.Check();
        return Distilled;
    }

    /// <summary>A student on labels alone at every learning rate, the trainer's own first.</summary>
    public IReadOnlyList<DistillationOptions> Alone(DistillationOptions basis, NetworkSpec student) =>
        [.. Rates(basis).Select(rate => With(basis, DistillationMethod.LabelsOnly(), rate, student))];

    private IEnumerable<(int Method, int Rate, int Student)> Combinations(int methods, int rates, int students, Generator generator)
    {
        if ((long)methods * rates * students <= search.Trials)
            return from student in Enumerable.Range(0, students) from method in Enumerable.Range(0, methods) from rate in Enumerable.Range(0, rates) select (method, rate, student);
        var decks = new[] { methods, rates, students }.Select(size => new Deck(size, generator)).ToArray();
        List<(int, int, int)> drawn = [(0, 0, 0)];
        foreach (var deck in decks)
            deck.TakeOut(0);
        while (drawn.Count < search.Trials)
        {
            var next = (decks[0].Draw(), decks[1].Draw(), decks[2].Draw());
            if (!drawn.Contains(next))
                drawn.Add(next);
        }

        return drawn;
    }

    private IReadOnlyList<double> Rates(DistillationOptions basis) => OwnFirst(
        search.Space.LearningRates ?? [.. RateFactors.Select(factor => basis.Optimizer.LearningRate * factor)], basis.Optimizer.LearningRate);

    private IEnumerable<DistillationMethod> Methods(DistillationOptions basis, int classes)
    {
        if (search.Space.Methods is { } methods)
            return methods;
        // DIST's relations over a batch cannot be weighted, and one of them has no gradient with two classes.
        var dist = basis is { ExampleWeightColumnName: null, TransferRows: null or { Weight: 1 } } && classes > 2 ? new[] { DistillationMethod.Dist() } : [];
        return [.. own.TeacherNeeds == ModelOutputs.None ? [] : new[] { own }, .. SearchSpace.Kd([1, 2, 4], [0.5, 0.9, 1]), .. dist];
    }

    private IEnumerable<NetworkSpec> Students(DistillationOptions basis)
    {
        if (search.Space.Students is { } students)
            return students;
        return search.Goal.Keeps is not null && basis.Student is MlpSpec { Hidden.Count: > 0 } mlp
            ? WidthDivisors.Select(divisor => mlp with { Hidden = [.. mlp.Hidden.Select(width => Math.Max(1, width / divisor))] })
            : [basis.Student];
    }

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
