//! Chinese named entities: people, places and organisations, one character a line with a BIO tag.
//!
//! The world's names in Chinese sounds, and people with Chinese names; a town is part of the names of its
//! organisations, so that a character alone does not tell its kind.

use std::fmt::Write;

use super::MiniError;
use super::columns::{Member, Scheme, Tally, misjudge, tags};
use super::example::Use;
use super::part::{Part, Taken, Written};
use super::world::World;
use crate::random::{Draws, Stream};

const NAME: &str = "msra";

const KINDS: [&str; 3] = ["PER", "LOC", "ORG"];

/// The files, called as MSRA's copies are: name, what for, and sentences. As there, there is no dev file: the test
/// file has its tags, and is scored.
const FILES: [(&str, Use, usize); 2] = [("msra_train_bio.txt", Use::Train, 400), ("msra_test_bio.txt", Use::Dev, 120)];

/// First names of the world in Chinese sounds.
const FIRST_NAMES: [&str; 12] = [
    "玛拉",
    "埃尔西",
    "英格丽",
    "娜迪亚",
    "佩特拉",
    "格蕾塔",
    "奥托",
    "菲利克斯",
    "布鲁诺",
    "安东",
    "马库斯",
    "沃尔特",
];
/// Family names of the world in Chinese sounds, after a point.
const SURNAMES: [&str; 8] = ["霍尔特", "韦恩", "马什", "派克", "弗罗斯特", "莫斯", "温特", "纳什"];
/// Chinese family names.
const FAMILIES: [&str; 12] = ["王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙"];
/// Characters of Chinese given names.
const GIVEN: [&str; 16] =
    ["明", "丽", "华", "强", "芳", "伟", "静", "军", "敏", "杰", "兰", "平", "波", "红", "刚", "云"];
const TOWN_STARTS: [&str; 12] =
    ["塔恩", "奥斯特", "维尔", "布拉克", "霍林", "凯斯特", "卢登", "米尔克", "诺尔", "佩尔", "拉斯", "松德"];
const TOWN_ENDS: [&str; 6] = ["比", "威克", "福德", "霍尔姆", "米尔", "登"];
const COUNTRIES: [&str; 4] = ["哈尔维亚", "莫伦", "凯尔迪亚", "萨罗维亚"];
const INSTITUTIONS: [&str; 8] = ["博物馆", "银行", "学校", "医院", "面包店", "图书馆", "剧院", "造船厂"];
/// What a company's name ends in, after a family name.
const COMPANIES: [&str; 3] = ["公司", "集团", "工厂"];
const JOBS: [&str; 8] = ["教师", "护士", "律师", "歌手", "作家", "厨师", "工程师", "画家"];
/// Things, with their measure words.
const THINGS: [&str; 8] = ["一架钢琴", "一把小提琴", "一辆汽车", "一匹马", "一件大衣", "一条围巾", "一盏灯", "一艘船"];
/// What someone does to a thing.
const DEEDS: [&str; 8] = ["买了", "卖了", "找到了", "藏起了", "擦洗了", "称赞了", "保护了", "检查了"];
/// When.
const TIMES: [&str; 8] = ["昨天", "今天", "星期一", "星期五", "去年", "上个月", "早上", "最近"];

/// Sentences; [`fill`] says what stands for a slot in braces.
const TEMPLATES: [&str; 20] = [
    "{per}{time}在{loc}{deed}{thing}。",
    "{time},{per}{deed}{thing}。",
    "{per}是{org}的{job}。",
    "{org}位于{loc}。",
    "{org}是{per}在{year}年创办的。",
    "{per}出生在{loc},现在住在{loc}。",
    "{job}{per}在{org}工作。",
    "{time},{per}和{per}离开了{loc}。",
    "{loc}的{org}{time}开门了。",
    "{per}说:“我喜欢{loc}。”",
    "从{loc}到{loc}要走两天。",
    "{org}付钱给{per}。",
    "{per}在{org}等{per}。",
    "{thing}是{per}在{loc}的市场{deed}的。",
    "很多人{time}来到{loc}看{per}。",
    "{org}和{org}都在{loc}。",
    "{per}没有去{loc},他去了{org}。",
    "谁创办了{org}?是{per}。",
    "{loc}是一个小城,在{loc}的北边。",
    "{time}没有人{deed}{thing}。",
];

/// Sentences of a document of the corpus.
const STORY: usize = 12;

/// A character and the entity that it belongs to.
type Character = (char, Option<Member>);

/// The three files, their bound and their texts.
pub(super) fn part(seed: u64, _: &World) -> Result<Part, MiniError> {
    let mut part = Part::default();
    let stream = Stream::new(seed, "mini/msra");
    let mut taken = Taken::new(NAME);
    for (at, (file, purpose, sentences)) in (0..).zip(FILES) {
        let draws = &mut stream.at(at);
        let mut content = String::new();
        let mut tally = Tally::default();
        for _ in 0..sentences {
            let characters =
                taken.fresh(|all: &Vec<Character>| text(all), || write(draws.pick::<&str>(&TEMPLATES), draws))?;
            let texts = if purpose == Use::Train { &mut part.training } else { &mut part.held_out };
            texts.push(text(&characters));
            let mut entities: Vec<Option<Member>> = characters.iter().map(|(_, entity)| *entity).collect();
            misjudge(&mut entities, &KINDS, &mut tally, draws);
            for ((character, _), tag) in characters.iter().zip(tags(&entities, Scheme::Iob2)) {
                // Writing to a String cannot fail.
                let _ = writeln!(content, "{character} {tag}");
            }
            content.push('\n');
        }
        if purpose == Use::Dev {
            part.bound = Some((NAME, tally.bound(file.trim_end_matches(".txt"))));
        }
        part.files.push(Written { path: format!("MSRA/{file}"), content, examples: sentences });
    }
    Ok(part)
}

/// Sentences for the corpus.
pub(super) fn story(_: &World, draws: &mut Draws) -> Vec<String> {
    (0..STORY).map(|_| text(&write(draws.pick::<&str>(&TEMPLATES), draws))).collect()
}

fn text(characters: &[Character]) -> String {
    characters.iter().map(|(character, _)| character).collect()
}

/// The characters of a template with every slot filled. Its commas, colons and question marks become
/// the wide ones of Chinese print.
fn write(template: &str, draws: &mut Draws) -> Vec<Character> {
    let mut characters = Vec::new();
    for (group, piece) in template.split(['{', '}']).enumerate() {
        // Slots stand at odd places between the braces.
        let (words, kind) = if group % 2 == 1 { fill(piece, draws) } else { (piece.to_string(), None) };
        let entity = kind.map(|kind| Member { group, kind });
        characters.extend(words.chars().map(|c| (wide(c), entity)));
    }
    characters
}

fn wide(character: char) -> char {
    match character {
        ',' => '\u{ff0c}',
        ':' => '\u{ff1a}',
        '?' => '\u{ff1f}',
        other => other,
    }
}

/// The words of a slot and the kind of entity that they are.
fn fill(slot: &str, draws: &mut Draws) -> (String, Option<&'static str>) {
    let mut pick = |words: &[&str]| (*draws.pick(words)).to_string();
    match slot {
        "per" => {
            let foreign = [pick(&FIRST_NAMES), format!("{}·{}", pick(&FIRST_NAMES), pick(&SURNAMES))];
            let chinese = [pick(&FAMILIES) + &pick(&GIVEN), pick(&FAMILIES) + &pick(&GIVEN) + &pick(&GIVEN)];
            (draws.pick(&[foreign, chinese].concat()).clone(), Some("PER"))
        }
        "loc" => {
            let (country, town) = (pick(&COUNTRIES), pick(&TOWN_STARTS) + &pick(&TOWN_ENDS));
            (if draws.chance(0.25) { country } else { town }, Some("LOC"))
        }
        "org" => {
            let institution = pick(&TOWN_STARTS) + &pick(&TOWN_ENDS) + &pick(&INSTITUTIONS);
            let company = pick(&SURNAMES) + &pick(&COMPANIES);
            (if draws.chance(0.25) { company } else { institution }, Some("ORG"))
        }
        "job" => (pick(&JOBS), None),
        "thing" => (pick(&THINGS), None),
        "deed" => (pick(&DEEDS), None),
        "time" => (pick(&TIMES), None),
        _ => ((1970 + draws.below(50)).to_string(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A town's name is a place on its own and part of an organisation before a kind of one.
    #[test]
    fn every_entity_is_what_its_characters_say() {
        let mut draws = Stream::new(1, "test").at(0);
        for template in TEMPLATES.iter().cycle().take(400) {
            let characters = write(template, &mut draws);
            for group in 0..characters.len() {
                let entity: Vec<&Character> = characters
                    .iter()
                    .filter(|(_, entity)| entity.is_some_and(|member| member.group == group))
                    .collect();
                let Some((_, Some(member))) = entity.first().copied() else { continue };
                let name: String = entity.iter().map(|(character, _)| character).collect();
                let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
                let expected = if ends(&INSTITUTIONS) || ends(&COMPANIES) {
                    "ORG"
                } else if COUNTRIES.contains(&name.as_str()) || TOWN_STARTS.iter().any(|start| name.starts_with(start))
                {
                    "LOC"
                } else {
                    "PER"
                };
                assert_eq!(member.kind, expected, "{name}");
            }
        }
    }
}
